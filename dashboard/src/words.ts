import type { FileFormat, JobStatus } from "./gql/operations";

/** A job's state, for people. */
export const STATUS: Record<JobStatus, string> = {
  PENDING: "Waiting",
  PROCESSING: "Running",
  COMPLETED: "Done",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
};

/** The same in a sentence. */
export const STATUS_SENTENCE: Record<JobStatus, string> = {
  PENDING: "The file is safe and waits for its turn.",
  PROCESSING: "The file is being read.",
  COMPLETED: "Every record has been decided.",
  FAILED: "The file could not be read to its end.",
  CANCELLED: "It was cancelled.",
};

export const FORMATS: Record<FileFormat, { name: string; extensions: string[] }> = {
  CSV: { name: "CSV", extensions: [".csv"] },
  TSV: { name: "TSV (tab-separated)", extensions: [".tsv", ".tab"] },
  JSON: { name: "JSON", extensions: [".json"] },
  NDJSON: { name: "NDJSON (one object a line)", extensions: [".ndjson", ".jsonl"] },
  XML: { name: "XML", extensions: [".xml"] },
};

/** What the server will take a file for by its name; null when the name does not tell. */
export function formatOf(filename: string): FileFormat | null {
  const name = filename.toLowerCase();
  const found = Object.entries(FORMATS).find(([, { extensions }]) => extensions.some((end) => name.endsWith(end)));
  return found ? (found[0] as FileFormat) : null;
}

/** Whether nothing more happens to a job of this status. */
export function isFinal(status: JobStatus): boolean {
  return status === "COMPLETED" || status === "FAILED" || status === "CANCELLED";
}

/** Codes that are no words of a person's who does not program. */
const CODES: Record<string, string> = {
  DTD_FORBIDDEN: "DOCTYPE not allowed",
  INTERNAL: "A fault of Sluice",
  INVALID_BOOLEAN: "Neither yes nor no",
  INVALID_URL: "Invalid URL",
  NOT_A_SCALAR: "More than a plain value",
  NOT_IN_ENUM: "Not an allowed value",
};

/** A code of an error, as words: INVALID_DATE is "Invalid date". */
export function codeInWords(code: string): string {
  if (CODES[code]) {
    return CODES[code];
  }
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
