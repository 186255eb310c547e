import type { WholeSchemaFragment } from "../../gql/operations";
import { NEW_FIELD, PLAIN_CSV, type Draft, type DraftField } from "./draft";
import { toLines } from "./lines";

/** The draft that would make this version again. */
export function fromSchema(schema: Omit<WholeSchemaFragment, "id" | "version" | "createdAt">): Draft {
  const { csv } = schema;
  return {
    name: schema.name,
    fields: schema.fields.map(fieldOf),
    recordPath: schema.recordPath ?? "",
    encoding: schema.encoding ?? "",
    unknownFields: schema.unknownFields,
    csv: csv
      ? {
          delimiter: csv.delimiter ?? "",
          quote: csv.quote,
          escape: csv.escape ?? "",
          header: csv.header,
          skipLines: String(csv.skipLines),
          comment: csv.comment ?? "",
        }
      : PLAIN_CSV,
    nextKey: schema.fields.length + 1,
  };
}

function fieldOf(field: WholeSchemaFragment["fields"][number], index: number): DraftField {
  const text = (value: unknown) => (value === null || value === undefined ? "" : String(value));
  return {
    ...NEW_FIELD,
    key: index + 1,
    name: field.name,
    source: field.source,
    type: field.type,
    required: field.required,
    trim: field.trim,
    hasDefault: field.default !== null && field.default !== undefined,
    default: text(field.default),
    emptyIsMissing: field.nullValues.includes(""),
    nullValues: toLines(field.nullValues.filter((value) => value !== "")),
    enum: toLines(field.enum ?? []),
    minLength: text(field.minLength),
    maxLength: text(field.maxLength),
    pattern: field.pattern ?? "",
    min: text(field.min),
    max: text(field.max),
    format: field.format ?? "",
  };
}
