import type { FileFormat } from "../gql/operations";
import { formatOf } from "../words";

const ARCHIVES: [string, string][] = [
  ["PK\u0003\u0004", "an Excel workbook or a ZIP archive"],
  ["\u00d0\u00cf\u0011\u00e0", "an old Excel workbook"],
  ["\u001f\u008b", "a gzip archive"],
  ["%PDF-", "a PDF document"],
];

/** What kind of file this is instead of text that Sluice reads; null when it may be text. `head`: its first bytes. */
export function notText(head: Uint8Array): string | null {
  const start = String.fromCharCode(...head.subarray(0, 8));
  return ARCHIVES.find(([magic]) => start.startsWith(magic))?.[1] ?? null;
}

/** A file's format by its name, or else by how its text begins. */
export function formatOfSample(filename: string, text: string): FileFormat {
  return formatOf(filename) ?? byContent(text.trimStart());
}

function byContent(text: string): FileFormat {
  if (text.startsWith("<")) {
    return "XML";
  }
  if (text.startsWith("[")) {
    return "JSON";
  }
  if (text.startsWith("{")) {
    const lines = text.split(/[\r\n]+/, 2);
    return lines.length > 1 && lines.every((line) => /^\{.*\}$/.test(line)) ? "NDJSON" : "JSON";
  }
  const [first = ""] = text.split(/[\r\n]/, 1);
  return first.includes("\t") && !/[,;]/.test(first) ? "TSV" : "CSV";
}
