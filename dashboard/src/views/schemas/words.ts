import type { WholeSchemaFragment } from "../../gql/operations";

type WholeField = WholeSchemaFragment["fields"][number];

/** A rule in words; `values` are texts of the partner's that follow them. */
export interface RuleInWords {
  words: string;
  values: string[];
}

const ENCODINGS: Record<string, string> = {
  "utf-8": "UTF-8",
  "utf-16": "UTF-16",
  "iso-8859-1": "ISO 8859-1 (Latin 1)",
  "windows-1252": "Windows-1252 (Western Europe)",
};

/** The encodings that a schema can name. */
export const ENCODING_NAMES = Object.entries(ENCODINGS);

export function encodingInWords(encoding: string | null): string {
  return encoding ? (ENCODINGS[encoding] ?? encoding) : "UTF-8, or UTF-16 where the file has its mark";
}

/** What is asked of a field's values, beyond their type. */
export function rulesInWords(field: WholeField): RuleInWords[] {
  const { default: fallback, enum: choices, minLength, maxLength, pattern, min, max, format, nullValues, trim } = field;
  const isMoment = field.type === "DATE" || field.type === "DATETIME";
  const rules: (RuleInWords | null)[] = [
    isGiven(format) ? { words: "Written as", values: [String(format)] } : null,
    choices ? { words: "One of", values: choices } : null,
    isGiven(min) ? { words: isMoment ? "Not before" : "At least", values: [String(min)] } : null,
    isGiven(max) ? { words: isMoment ? "Not after" : "At most", values: [String(max)] } : null,
    lengths(minLength, maxLength),
    isGiven(pattern) ? { words: "Matches the pattern", values: [String(pattern)] } : null,
    isGiven(fallback) ? { words: "Where it is missing:", values: [String(fallback)] } : null,
    nulls(nullValues),
    trim ? null : { words: "White space around it is kept", values: [] },
  ];
  return rules.filter((rule) => rule !== null);
}

/** A character that may be hard to see, by its name where it has one. */
export function markInWords(mark: string): string {
  return (
    { ",": "Comma ( , )", ";": "Semicolon ( ; )", "\t": "Tab", "|": "Bar ( | )", '"': 'Double quote ( " )', "'": "Single quote ( ' )" }[
      mark
    ] ?? mark
  );
}

function lengths(least: number | null, most: number | null): RuleInWords | null {
  if (least === null && most === null) {
    return null;
  }
  const words =
    least === null
      ? `At most ${characters(most!)}`
      : most === null
        ? `At least ${characters(least)}`
        : least === most
          ? `Exactly ${characters(least)}`
          : `${least} to ${characters(most)}`;
  return { words, values: [] };
}

function nulls(values: string[]): RuleInWords | null {
  if (values.length === 1 && values[0] === "") {
    return null;
  }
  const others = values.filter((value) => value !== "");
  const empty = values.includes("");
  if (others.length === 0) {
    return { words: "An empty value counts as a value", values: [] };
  }
  return { words: empty ? "Missing, too, is" : "Missing (instead of an empty value) is", values: others };
}

function characters(count: number): string {
  return `${count} ${count === 1 ? "character" : "characters"}`;
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}
