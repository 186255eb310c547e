import type { FileFormat } from "../gql/operations";
import { beginning, likelyDelimiter, rows } from "./csv";
import { bytesOf, encodingOf, inUnits, units, type Encoding } from "./encoding";
import { arraysIn, likelyRecords } from "./json";
import { localName, tokens } from "./xml";

/** How much of a file a sample has, at most. */
export const SAMPLE_BYTES = 256 * 1024;

/** What a schema says of where records are in a file. Empty: nothing. */
export interface Layout {
  encoding: string;
  recordPath: string;
  delimiter: string;
  quote: string;
  escape: string;
  comment: string;
  skipLines: number;
  header: boolean;
}

/** Where a text is cut, and what has to follow so that it is whole again. */
interface Cut {
  end: number;
  closing: string;
}

/**
 * The whole records of a file's first bytes, as a file of the same format and encoding; null when not even one is whole.
 *
 * What stands in them is kept byte for byte, mistakes included.
 */
export function cutSample(head: Uint8Array<ArrayBuffer>, format: FileFormat, layout: Layout): Uint8Array<ArrayBuffer> | null {
  const encoding = encodingOf(head, layout.encoding || null);
  const text = units(head, encoding);
  const cut = CUTS[format](text, layout, encoding);
  if (!cut) {
    return null;
  }
  const kept = head.subarray(0, encoding.bomBytes + cut.end * encoding.width);
  const closing = bytesOf(cut.closing, encoding);
  const sample = new Uint8Array(kept.length + closing.length);
  sample.set(kept);
  sample.set(closing, kept.length);
  return sample;
}

const CUTS: Record<FileFormat, (text: string, layout: Layout, encoding: Encoding) => Cut | null> = {
  CSV: cutTable,
  TSV: (text, layout, encoding) => cutTable(text, { ...layout, delimiter: layout.delimiter || "\t" }, encoding),
  NDJSON: cutLines,
  JSON: cutJson,
  XML: cutXml,
};

function cutTable(text: string, layout: Layout, encoding: Encoding): Cut | null {
  const [delimiter, quote, escape, comment] = [layout.delimiter, layout.quote, layout.escape, layout.comment].map((mark) =>
    inUnits(mark, encoding),
  ) as [string, string, string, string];
  const { start, announced } = beginning(text, layout.skipLines);
  const dialect = { delimiter: delimiter || announced || likelyDelimiter(text, start, quote), quote, escape, comment };
  let end = 0;
  let beforeRecords = layout.header ? null : start;
  for (const row of rows(text, dialect, start)) {
    if (row.whole) {
      end = row.end;
      beforeRecords ??= row.cells.length > 0 ? end : null;
    }
  }
  if (end > (beforeRecords ?? end)) {
    return { end, closing: "" };
  }
  // A quote that is never closed takes all that follows into one cell; the server tells better what is wrong.
  const lines = cutLines(text);
  return lines && lines.end > (beforeRecords ?? 0) ? lines : null;
}

function cutLines(text: string): Cut | null {
  const end = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
  return end > 0 ? { end, closing: "" } : null;
}

function cutJson(text: string, { recordPath }: Layout, encoding: Encoding): Cut | null {
  const arrays = arraysIn(text);
  const path = recordPath ? recordPath.split(".").map((key) => inUnits(key, encoding)) : [];
  const wanted = arrays.find((array) => array.path.length === path.length && array.path.every((key, index) => key === path[index]));
  const array = wanted ?? likelyRecords(arrays);
  const end = array?.end ?? array?.ends.at(-1);
  return array && end ? { end, closing: (array.end ? "" : "]") + "}".repeat(array.path.length) } : null;
}

function cutXml(text: string, { recordPath }: Layout, encoding: Encoding): Cut | null {
  const name = inUnits(recordPath, encoding);
  const isNamed = (element: string | undefined) => name !== "" && element !== undefined && localName(element) === name;
  const open: string[] = [];
  let openNamed = 0;
  let end = 0;
  for (const token of tokens(text)) {
    if (token.kind === "open") {
      open.push(token.name);
      openNamed += isNamed(token.name) ? 1 : 0;
    } else if (token.kind !== "text") {
      const closed = token.kind === "close" ? open.pop() : token.name;
      openNamed -= token.kind === "close" && isNamed(closed) ? 1 : 0;
      const isRecord = name === "" ? open.length === 1 : isNamed(closed);
      if (open.length === 0 || (isRecord && openNamed === 0)) {
        end = token.end;
      }
    }
  }
  return end > 0 ? { end, closing: closingOf(text.slice(0, end)) } : null;
}

/** The tags that close what is still open at the end of an XML text. */
function closingOf(text: string): string {
  const open: string[] = [];
  for (const token of tokens(text)) {
    if (token.kind === "open") {
      open.push(token.name);
    } else if (token.kind === "close") {
      open.pop();
    }
  }
  return open
    .reverse()
    .map((name) => `</${name}>`)
    .join("");
}
