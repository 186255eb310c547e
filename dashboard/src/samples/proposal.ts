import type { FieldType } from "../gql/operations";
import { guess } from "./guess";
import { tidyNames } from "./names";
import type { SampleRecord } from "./records";

/** What a field might be, by what stands in a sample. */
export interface ProposedField {
  name: string;
  source: string;
  type: FieldType;
  format: string;
  nullValues: string[];
  required: boolean;
}

/** Fields are looked for in so many records. */
const RECORDS = 5_000;
const MOST_FIELDS = 1_000;

/** A field for every source, in the order in which they turn up. Required is what no record lacks. */
export function propose(records: SampleRecord[]): ProposedField[] {
  const looked = records.slice(0, RECORDS);
  const columns = new Map<string, string[]>();
  for (const record of looked) {
    for (const [source, value] of record) {
      const values = columns.get(source) ?? [];
      columns.set(source, values);
      if (value !== null && value.trim() !== "") {
        values.push(value);
      }
    }
  }
  const sources = [...columns.keys()].slice(0, MOST_FIELDS);
  const names = tidyNames(sources);
  return sources.map((source, index) => {
    const values = columns.get(source)!;
    const { type, format, nullValues } = guess(values);
    const missing = values.length < looked.length || values.some((value) => nullValues.includes(value.trim()));
    return { name: names[index]!, source, type, format, nullValues, required: !missing };
  });
}
