import { withExactNumbers } from "../api/exact";
import type { FileFormat } from "../gql/operations";
import { beginning, likelyDelimiter, rows } from "./csv";
import { arraysIn, DEEPEST, likelyRecords } from "./json";
import { attributesOf, localName, tokens } from "./xml";

/** The values of a record by their sources; null where there is nothing. */
export type SampleRecord = Map<string, string | null>;

/** What stands in a sample, and where. */
export interface Found {
  records: SampleRecord[];
  /** For JSON and XML; "": where the server looks by itself. */
  recordPath: string;
}

/** The records of a sample that is whole. Empty where nothing can be made of it. */
export function recordsIn(text: string, format: FileFormat): Found {
  switch (format) {
    case "CSV":
      return { records: inTable(text, null), recordPath: "" };
    case "TSV":
      return { records: inTable(text, "\t"), recordPath: "" };
    case "NDJSON":
      return {
        records: text
          .split(/[\r\n]+/)
          .map(object)
          .filter((record) => record !== null),
        recordPath: "",
      };
    case "JSON":
      return inJson(text);
    case "XML":
      return inXml(text);
  }
}

function inTable(text: string, own: string | null): SampleRecord[] {
  const { start, announced } = beginning(text, 0);
  const delimiter = announced ?? own ?? likelyDelimiter(text, start, '"');
  const found = [...rows(text, { delimiter, quote: '"', escape: "", comment: "" }, start)].filter(({ cells }) => cells.length > 0);
  const header = found[0]?.cells.map((cell) => cell.trim()) ?? [];
  // The first one has all columns, the others only what stands in them: a long header above many short rows is a lot otherwise.
  const records = found.slice(1, 2).map(({ cells }) => new Map(header.map((source, column) => [source, cells[column] ?? null])));
  for (const { cells } of found.slice(2)) {
    records.push(new Map(header.slice(0, cells.length).map((source, column) => [source, cells[column] ?? null])));
  }
  return (records.length > 0 ? records : [new Map(header.map((source) => [source, null]))]).map(withoutNameless);
}

/** A column without a header is what a delimiter at the end of each line makes. */
function withoutNameless(record: SampleRecord): SampleRecord {
  record.delete("");
  return record;
}

function inJson(text: string): Found {
  const array = likelyRecords(arraysIn(text));
  let value = parsed(text);
  for (const key of array?.path ?? []) {
    value = (value as Record<string, unknown> | null | undefined)?.[key];
  }
  const records = Array.isArray(value) ? value.map(flat).filter((record) => record !== null) : [];
  return { records, recordPath: array?.path.join(".") ?? "" };
}

function object(line: string): SampleRecord | null {
  return flat(parsed(line));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(withExactNumbers(text));
  } catch {
    return null;
  }
}

/** Objects inside become dotted sources; arrays are left out, as no field can hold one. */
function flat(value: unknown): SampleRecord | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return null;
  }
  const record: SampleRecord = new Map();
  const fill = (inner: object, prefix: string, depth: number) => {
    for (const [key, one] of Object.entries(inner) as [string, unknown][]) {
      if (typeof one === "object" && one !== null) {
        if (!Array.isArray(one) && depth < DEEPEST) {
          fill(one, `${prefix}${key}.`, depth + 1);
        }
      } else {
        record.set(prefix + key, one === null ? null : String(one));
      }
    }
  };
  fill(value, "", 1);
  return record;
}

interface Element {
  name: string;
  text: string;
  attributes: [string, string][];
  children: Element[];
  /** Whether its end is there, too. */
  whole: boolean;
}

function inXml(text: string): Found {
  const root: Element = { name: "", text: "", attributes: [], children: [], whole: false };
  const open = [root];
  for (const token of tokens(text)) {
    if (token.kind === "text") {
      open.at(-1)!.text += token.text;
    } else if (token.kind === "close") {
      if (open.length > 1) {
        open.pop()!.whole = true;
      }
    } else {
      const whole = token.kind === "empty";
      const element: Element = { name: localName(token.name), text: "", attributes: attributesOf(token.attributes), children: [], whole };
      open.at(-1)!.children.push(element);
      if (!whole) {
        open.push(element);
      }
    }
  }
  const top = root.children[0];
  const likely = top && mostRepeated(top);
  if (!likely) {
    return { records: [], recordPath: "" };
  }
  const atTop = likely.parent === top && new Set(top.children.map(({ name }) => name)).size === 1;
  const records = likely.parent.children.filter(({ name, whole }) => whole && name === likely.name).map(recordOf);
  return { records, recordPath: atTop ? "" : likely.name };
}

/** The name of the elements that stand beside each other most often, and where they do; the outermost of several. */
function mostRepeated(top: Element): { name: string; parent: Element } | null {
  let best: { name: string; parent: Element; times: number } | null = null;
  for (let level = [top]; level.length > 0 && (best?.times ?? 0) < 2; level = level.flatMap(({ children }) => children)) {
    for (const parent of level) {
      for (const [name, { times, isRecord }] of namesIn(parent)) {
        if (isRecord && times > (best?.times ?? 0)) {
          best = { name, parent, times };
        }
      }
    }
  }
  return best;
}

/** How often each name stands among an element's children, and whether more than text is in one of these. */
function namesIn({ children }: Element): Map<string, { times: number; isRecord: boolean }> {
  const names = new Map<string, { times: number; isRecord: boolean }>();
  for (const child of children) {
    const before = names.get(child.name);
    const isRecord = child.children.length > 0 || child.attributes.length > 0;
    names.set(child.name, { times: (before?.times ?? 0) + 1, isRecord: isRecord || before?.isRecord === true });
  }
  return names;
}

function recordOf(element: Element): SampleRecord {
  const record: SampleRecord = new Map();
  const fill = ({ attributes, children }: Element, prefix: string, depth: number) => {
    attributes.forEach(([name, value]) => record.set(`${prefix}@${name}`, value));
    for (const child of children) {
      const source = prefix + child.name;
      if (child.children.length === 0 && child.attributes.length === 0) {
        record.set(source, record.get(source) ?? child.text);
      } else if (depth < DEEPEST) {
        fill(child, `${source}/`, depth + 1);
        if (child.children.length === 0) {
          record.set(source, child.text);
        }
      }
    }
  };
  fill(element, "", 1);
  return record;
}
