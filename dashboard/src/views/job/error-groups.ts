import type { JobDetailFragment, RecordErrorFilter } from "../../gql/operations";
import { codeInWords } from "../../words";

type Summary = JobDetailFragment["errorSummary"];

/** Errors of one kind in one field; `field` is null for those of whole records. */
export interface ErrorGroup {
  key: string;
  field: string | null;
  code: Summary[number]["code"];
  count: string;
  /** 0 to 100: of the largest group, which fills the chart's width. */
  length: number;
  /** 0 to 100: of all errors. */
  share: number;
}

/** A job's summary as the bars of a chart, in its order: the most frequent first. */
export function groupsOf(summary: Summary): ErrorGroup[] {
  const counts = summary.map(({ count }) => Number(count));
  const largest = Math.max(...counts, 1);
  const all = Math.max(
    counts.reduce((sum, one) => sum + one, 0),
    1,
  );
  return summary.map(({ field, code, count }) => ({
    key: `${code} ${field ?? ""}`,
    field: field ?? null,
    code,
    count,
    length: (100 * Number(count)) / largest,
    share: (100 * Number(count)) / all,
  }));
}

/** How many errors there are. */
export function countOf(summary: Summary): string {
  return String(summary.reduce((sum, { count }) => sum + BigInt(count), 0n));
}

/** What the API is asked for to list a group alone; null: all errors. */
export function filterOf(group: Pick<ErrorGroup, "field" | "code"> | null): RecordErrorFilter | null {
  if (!group) {
    return null;
  }
  return group.field === null ? { code: group.code } : { field: group.field, code: group.code };
}

/** The group in a sentence. */
export function groupInWords({ field, code }: Pick<ErrorGroup, "field" | "code">): string {
  return `${field ?? "Whole record"}: ${codeInWords(code)}`;
}
