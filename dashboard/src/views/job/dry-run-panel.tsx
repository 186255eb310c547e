import { useMutation } from "@urql/preact";
import { useState } from "preact/hooks";

import { asked, inWords } from "../../api/problems";
import { CommitJobDocument, type JobDetailFragment } from "../../gql/operations";
import { Notice } from "../../parts/notice";
import { go, route } from "../../routes";
import { isFinal } from "../../words";
import { JobLink } from "./lineage-note";

/** Says that nothing is loaded, and loads it. */
export function DryRunPanel({ job }: { job: JobDetailFragment }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [{ fetching }, commit] = useMutation(CommitJobDocument);
  const load = async () => {
    setProblem(null);
    const { data, error } = await commit({ input: { jobId: job.id } });
    const made = data?.commitJob.job;
    if (made) {
      if (isSeen(job.id)) {
        go({ view: "job", id: made.id });
      }
    } else {
      setProblem(error ? inWords(error) : asked(data?.commitJob.userErrors));
    }
  };

  return (
    <section class="panel dry-run-panel" aria-labelledby="dry-run-title">
      <h2 id="dry-run-title">Dry run: nothing is loaded</h2>
      {job.commit ? (
        <p>
          The file was loaded afterwards: see <JobLink job={job.commit} />.
        </p>
      ) : (
        <>
          <p>{whatNext(job)}</p>
          {canBeLoaded(job) && (
            <button type="button" class="primary" aria-busy={fetching} disabled={fetching} onClick={load}>
              {job.status === "FAILED" ? "Load what comes before the damage" : "Load the file"}
            </button>
          )}
        </>
      )}
      {problem && <Notice kind="bad">{problem}</Notice>}
    </section>
  );
}

/** Whoever has gone elsewhere meanwhile is not led away. */
function isSeen(jobId: string): boolean {
  return route.value.view === "job" && route.value.id === jobId;
}

function canBeLoaded({ status, progress }: JobDetailFragment): boolean {
  return status === "COMPLETED" || (status === "FAILED" && progress.recordsRead !== "0");
}

function whatNext(job: JobDetailFragment): string {
  if (!isFinal(job.status)) {
    return "Every record is checked. You can load the file once that is done, without sending it again.";
  }
  if (job.status === "CANCELLED") {
    return "It was cancelled, so nobody knows what the rest of the file holds. To load it, send it again.";
  }
  if (job.status === "FAILED") {
    return canBeLoaded(job)
      ? "The file is damaged. Mend it and send it again; or load the records that come before the damage."
      : "The file could not be read. Mend it, and send it again.";
  }
  return "Load it as it is, without sending it again: what is right is loaded, and what is rejected can be corrected afterwards.";
}
