import { useState } from "preact/hooks";

import type { JobDetailFragment } from "../../gql/operations";
import { counted, count } from "../../locale";
import { announce } from "../../parts/announcer";
import { visible } from "../../parts/plain";
import { isFinal } from "../../words";
import { ErrorChart } from "./error-chart";
import { countOf, groupInWords, groupsOf, type ErrorGroup } from "./error-groups";
import { ErrorTable } from "./error-table";

/** What was wrong: how often, and where. A bar of the chart shows its own errors alone. */
export function ErrorsPanel({ job }: { job: JobDetailFragment }) {
  const [chosen, setChosen] = useState<Pick<ErrorGroup, "key" | "field" | "code"> | null>(null);
  const groups = groupsOf(job.errorSummary);
  const all = countOf(job.errorSummary);
  const choose = (group: ErrorGroup | null) => {
    setChosen(group);
    announce(
      group
        ? `The table shows ${counted(group.count, "error")}: ${visible(groupInWords(group))}.`
        : `The table shows all ${count(all)} errors.`,
    );
  };

  return (
    <section class="panel" aria-labelledby="errors-title">
      <h2 id="errors-title">What was wrong</h2>
      {groups.length === 0 ? (
        <p class="empty">{isFinal(job.status) ? "Nothing: no record of this file was rejected." : "Nothing so far."}</p>
      ) : (
        <>
          <p>
            {counted(all, "error")} in {counted(job.progress.recordsRejected, "rejected record")}. Choose a bar to see its errors alone.
          </p>
          <ErrorChart groups={groups} chosen={chosen?.key ?? null} onChoose={choose} />
          <ErrorTable job={job} chosen={chosen} onAll={() => choose(null)} />
        </>
      )}
    </section>
  );
}
