import type { FieldType } from "../../gql/operations";

/** Rules that only some types have. */
export type Rule = "minLength" | "maxLength" | "min" | "max" | "format";

const TEXT: readonly Rule[] = ["minLength", "maxLength"];
const NUMBER: readonly Rule[] = ["min", "max"];
const MOMENT: readonly Rule[] = ["format", "min", "max"];

/** The rules that fit a type, beside those that every type has: enum, pattern, default, nullValues, trim. */
export const RULES: Record<FieldType, readonly Rule[]> = {
  STRING: TEXT,
  EMAIL: TEXT,
  URL: TEXT,
  INTEGER: NUMBER,
  NUMBER,
  BOOLEAN: [],
  DATE: MOMENT,
  DATETIME: MOMENT,
};

/** Types, for people; what they take. */
export const TYPES: Record<FieldType, { name: string; takes: string }> = {
  STRING: { name: "Text", takes: "Any text." },
  INTEGER: { name: "Whole number", takes: "A sign and digits, such as 42 or -7." },
  NUMBER: { name: "Number", takes: "With a point before the decimals: 12, -0.5 or 1.2e3. Every digit is kept." },
  BOOLEAN: { name: "Yes or no", takes: "true, false, yes, no, y, n, t, f, on, off, 1 or 0." },
  DATE: { name: "Date", takes: "2026-03-31, or as the format says." },
  DATETIME: { name: "Date and time", takes: "2026-03-31T14:25:36Z, or as the format says. UTC where no zone is named." },
  EMAIL: { name: "E-mail address", takes: "name@example.com" },
  URL: { name: "Web address", takes: "It begins with http:// or https://." },
};

export function has(type: FieldType, rule: Rule): boolean {
  return RULES[type].includes(rule);
}
