import type { FieldType, UnknownFields } from "../../gql/operations";
import type { Proposal } from "../../samples/sample";
import { toLines } from "./lines";

/** A field as it stands in the form: texts as they were typed. */
export interface DraftField {
  /** Its own for as long as the form is open, wherever it moves. */
  key: number;
  name: string;
  /** "": the same as the name. */
  source: string;
  type: FieldType;
  required: boolean;
  trim: boolean;
  /** Whether `default` is meant: an empty text may be a default, too. */
  hasDefault: boolean;
  default: string;
  /** Whether an empty value means: missing. */
  emptyIsMissing: boolean;
  /** Other texts that do, one on each line. */
  nullValues: string;
  /** One on each line. */
  enum: string;
  minLength: string;
  maxLength: string;
  pattern: string;
  min: string;
  max: string;
  format: string;
}

/** How a CSV file is written; "" is what the server finds by itself. */
export interface DraftCsv {
  delimiter: string;
  quote: string;
  escape: string;
  header: boolean;
  skipLines: string;
  comment: string;
}

/** A schema in the making. */
export interface Draft {
  name: string;
  fields: DraftField[];
  recordPath: string;
  encoding: string;
  unknownFields: UnknownFields;
  csv: DraftCsv;
  nextKey: number;
}

export type Action =
  | { do: "load"; draft: Draft }
  | { do: "change"; changes: Partial<Pick<Draft, "name" | "recordPath" | "encoding" | "unknownFields">> }
  | { do: "change-csv"; changes: Partial<DraftCsv> }
  | { do: "change-field"; key: number; changes: Partial<Omit<DraftField, "key">> }
  | { do: "add-field" }
  | { do: "remove-field"; key: number }
  | { do: "move-field"; key: number; by: -1 | 1 };

export const NEW_FIELD: Omit<DraftField, "key"> = {
  name: "",
  source: "",
  type: "STRING",
  required: true,
  trim: true,
  hasDefault: false,
  default: "",
  emptyIsMissing: true,
  nullValues: "",
  enum: "",
  minLength: "",
  maxLength: "",
  pattern: "",
  min: "",
  max: "",
  format: "",
};

export const PLAIN_CSV: DraftCsv = { delimiter: "", quote: '"', escape: "", header: true, skipLines: "0", comment: "" };

/** A schema with one field of which nothing is said yet. */
export const BLANK: Draft = withField({
  name: "",
  fields: [],
  recordPath: "",
  encoding: "",
  unknownFields: "IGNORE",
  csv: PLAIN_CSV,
  nextKey: 1,
});

/** A draft by what stands in a sample, for the person to change. */
export function fromProposal({ fields, recordPath, encoding }: Proposal): Draft {
  if (fields.length === 0) {
    return { ...BLANK, encoding };
  }
  const drafts = fields.map((field, index) => ({ ...NEW_FIELD, ...field, nullValues: toLines(field.nullValues), key: index + 1 }));
  return { ...BLANK, recordPath, encoding, fields: drafts, nextKey: drafts.length + 1 };
}

/** The draft after something was done to it. */
export function reduce(draft: Draft, action: Action): Draft {
  switch (action.do) {
    case "load":
      return action.draft;
    case "change":
      return { ...draft, ...action.changes };
    case "change-csv":
      return { ...draft, csv: { ...draft.csv, ...action.changes } };
    case "change-field":
      return { ...draft, fields: draft.fields.map((field) => (field.key === action.key ? { ...field, ...action.changes } : field)) };
    case "add-field":
      return withField(draft);
    case "remove-field":
      return { ...draft, fields: draft.fields.filter(({ key }) => key !== action.key) };
    case "move-field":
      return { ...draft, fields: moved(draft.fields, action.key, action.by) };
  }
}

function withField(draft: Draft): Draft {
  return { ...draft, fields: [...draft.fields, { ...NEW_FIELD, key: draft.nextKey }], nextKey: draft.nextKey + 1 };
}

function moved(fields: DraftField[], key: number, by: number): DraftField[] {
  const from = fields.findIndex((field) => field.key === key);
  const target = from + by;
  if (from === -1 || target < 0 || target >= fields.length) {
    return fields;
  }
  const changed = [...fields];
  [changed[from], changed[target]] = [changed[target]!, changed[from]!];
  return changed;
}
