import type { FieldType, RecordsQuery } from "../../gql/operations";

type Job = NonNullable<RecordsQuery["job"]>;

export interface Column {
  name: string;
  /** Null for one that the job's own schema does not have: another version, through which a retry went, does. */
  type: FieldType | null;
}

/** The columns of a table of records: the schema's, in its order, and behind them what else the records have. */
export function columnsOf(fields: Job["recordSchema"]["fields"], records: Pick<Job["records"]["nodes"][number], "data">[]): Column[] {
  const columns = new Map<string, Column>(fields.map(({ name, type }) => [name, { name, type }]));
  for (const { data } of records) {
    for (const name of Object.keys(data as object)) {
      if (!columns.has(name)) {
        columns.set(name, { name, type: null });
      }
    }
  }
  return [...columns.values()];
}

/** A value of a record as text; null when there is none. */
export function textOf(data: unknown, name: string): string | null {
  const value = Object.hasOwn(data as object, name) ? (data as Record<string, unknown>)[name] : null; // "constructor" is a name, too
  return value == null ? null : String(value);
}

/** Whether a column is read from the right, digit under digit. */
export function isNumeric({ type }: Column): boolean {
  return type === "INTEGER" || type === "NUMBER";
}
