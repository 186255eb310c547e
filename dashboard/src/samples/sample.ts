import type { FileFormat } from "../gql/operations";
import { cutSample, SAMPLE_BYTES, type Layout } from "./cut";
import { decoded, encodingOf, encodingToDeclare } from "./encoding";
import { formatOfSample, notText } from "./format";
import { propose, type ProposedField } from "./proposal";
import { recordsIn } from "./records";

/** The beginning of a file of the person's own, with which a schema is tried. */
export interface Sample {
  filename: string;
  format: FileFormat;
  head: Uint8Array<ArrayBuffer>;
  /** Whether that is all of the file. */
  whole: boolean;
}

/** What a schema for a sample might look like. */
export interface Proposal {
  fields: ProposedField[];
  recordPath: string;
  /** "": it need not be said. */
  encoding: string;
}

const PLAIN: Layout = { encoding: "", recordPath: "", delimiter: "", quote: '"', escape: "", comment: "", skipLines: 0, header: true };

/** Reads the beginning of a file, however big it is. Throws an Error, in a person's words, when it is no text. */
export async function readSample(file: File): Promise<Sample> {
  let head: Uint8Array<ArrayBuffer>;
  try {
    head = new Uint8Array(await file.slice(0, SAMPLE_BYTES).arrayBuffer());
  } catch {
    throw new Error("This file cannot be read. Was it moved, or is it a folder? Choose it again.");
  }
  if (head.length === 0) {
    throw new Error("This file is empty. Choose one with some records in it.");
  }
  const other = notText(head);
  if (other) {
    throw new Error(`This looks like ${other}. Save it as CSV (or TSV, JSON, NDJSON, XML), and choose that file.`);
  }
  const encoding = encodingOf(head, encodingToDeclare(head));
  return {
    filename: file.name,
    format: formatOfSample(file.name, decoded(head.subarray(0, 4096), encoding)),
    head,
    whole: file.size <= head.length,
  };
}

/** The bytes to try a schema with: whole records. Null when the first one is longer than a sample. */
export function sampleBytes({ head, whole, format }: Sample, layout: Layout): Uint8Array<ArrayBuffer> | null {
  return whole ? head : cutSample(head, format, layout);
}

/** Fields and options, by what stands in the sample. */
export function proposalFor(sample: Sample): Proposal {
  const encoding = encodingToDeclare(sample.head) ?? "";
  // What an XML record is called is not known before it is read; and it can be read though it breaks off.
  const bytes = (sample.format === "XML" ? null : sampleBytes(sample, { ...PLAIN, encoding })) ?? sample.head;
  const { records, recordPath } = recordsIn(decoded(bytes, encodingOf(bytes, encoding || null)), sample.format);
  return { fields: propose(records), recordPath, encoding };
}
