import type { TrialQuery } from "../../gql/operations";
import { counted } from "../../locale";
import { Plain } from "../../parts/plain";
import { codeInWords } from "../../words";

export type TrialJob = NonNullable<TrialQuery["job"]>;

/** How often one thing was wrong in the sample, and how that looked. */
export interface Trouble {
  field: string | null;
  code: string;
  count: string;
  expected: string;
  examples: string[];
}

const MOST_EXAMPLES = 3;

/** What was wrong in a sample, the most frequent first. */
export function troubleOf(job: TrialJob): Trouble[] {
  return job.errorSummary.map(({ field, code, count }) => {
    const alike = job.errors.nodes.filter((error) => error.field === field && error.code === code);
    const values = new Set(alike.map(({ rawValue }) => rawValue).filter((value) => value !== null && value !== ""));
    return { field, code, count, expected: alike[0]?.message ?? "", examples: [...values].slice(0, MOST_EXAMPLES) as string[] };
  });
}

/** What the sample has found about a field. */
export function FieldTrouble({ trouble }: { trouble: Trouble[] }) {
  if (trouble.length === 0) {
    return null;
  }
  return (
    <ul class="bare trouble">
      {trouble.map((one) => (
        <li key={one.code}>
          <OneTrouble trouble={one} />
        </li>
      ))}
    </ul>
  );
}

/** One of them, in a sentence or two. */
export function OneTrouble({ trouble: { code, count, expected, examples } }: { trouble: Trouble }) {
  return (
    <>
      <strong>
        {codeInWords(code)} in {counted(count, "record")}.
      </strong>{" "}
      {expected}
      {examples.length > 0 && (
        <>
          {" "}
          In the sample:{" "}
          {examples.map((example, index) => (
            <>
              {index > 0 && ", "}
              <Plain text={example} />
            </>
          ))}
        </>
      )}
    </>
  );
}
