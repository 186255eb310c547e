import type { CreateRecordSchemaInput, CsvInput, FieldInput } from "../../gql/operations";
import type { Layout } from "../../samples/cut";
import { PLAIN_CSV, type Draft, type DraftCsv, type DraftField } from "./draft";
import { fromLines } from "./lines";
import { has, type Rule } from "./rules";

/** The schema as the API takes it. What is as it would be anyway is left out, and so are rules that the type does not have. */
export function toInput(draft: Draft): CreateRecordSchemaInput {
  const csv = csvInput(draft.csv);
  return {
    name: draft.name,
    ...(draft.recordPath && { recordPath: draft.recordPath }),
    ...(draft.encoding && { encoding: draft.encoding }),
    ...(draft.unknownFields !== "IGNORE" && { unknownFields: draft.unknownFields }),
    ...(Object.keys(csv).length > 0 && { csv }),
    fields: draft.fields.map(fieldInput),
  };
}

/** Where the records are in a file that this draft describes. */
export function layoutOf({ encoding, recordPath, csv }: Draft): Layout {
  return { encoding, recordPath, ...csv, skipLines: wholeNumber(csv.skipLines) ?? 0 };
}

/** What was typed as a whole number, of at most 32 bits; null when it is none. */
export function wholeNumber(text: string): number | null {
  return /^\d{1,10}$/.test(text.trim()) && Number(text) < 2 ** 31 ? Number(text) : null;
}

function fieldInput(field: DraftField): FieldInput {
  const nullValues = [...(field.emptyIsMissing ? [""] : []), ...fromLines(field.nullValues)];
  const choices = fromLines(field.enum);
  const given = (rule: Rule) => has(field.type, rule) && field[rule].trim() !== "";
  return {
    name: field.name,
    ...(field.source !== "" && field.source !== field.name && { source: field.source }),
    type: field.type,
    ...(!field.required && { required: false }),
    ...(field.hasDefault && { default: scalar(field.default, field) }),
    ...((nullValues.length !== 1 || nullValues[0] !== "") && { nullValues }),
    ...(!field.trim && { trim: false }),
    ...(choices.length > 0 && { enum: choices }),
    ...(given("minLength") && { minLength: wholeNumber(field.minLength) }),
    ...(given("maxLength") && { maxLength: wholeNumber(field.maxLength) }),
    ...(field.pattern !== "" && { pattern: field.pattern }),
    ...(given("min") && { min: scalar(field.min.trim(), field) }),
    ...(given("max") && { max: scalar(field.max.trim(), field) }),
    ...(given("format") && { format: field.format }),
  };
}

/** A value as JSON has it; a number that JavaScript would write differently stays a text, which keeps all its digits. */
function scalar(text: string, { type }: DraftField): string | number | boolean {
  if (type === "INTEGER" || type === "NUMBER") {
    return String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  return type === "BOOLEAN" && (text === "true" || text === "false") ? text === "true" : text;
}

function csvInput(csv: DraftCsv): CsvInput {
  return {
    ...(csv.delimiter !== "" && { delimiter: csv.delimiter }),
    ...(csv.quote !== PLAIN_CSV.quote && { quote: csv.quote }),
    ...(csv.escape !== "" && { escape: csv.escape }),
    ...(!csv.header && { header: false }),
    ...(wholeNumber(csv.skipLines) !== 0 && csv.skipLines.trim() !== "" && { skipLines: wholeNumber(csv.skipLines) }),
    ...(csv.comment !== "" && { comment: csv.comment }),
  };
}
