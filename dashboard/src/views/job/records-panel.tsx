import { useState } from "preact/hooks";

import type { JobDetailFragment, ProgressFragment } from "../../gql/operations";
import { RecordTable } from "./record-table";

/** What was loaded, or why nothing was. */
export function RecordsPanel({ job, progress }: { job: JobDetailFragment; progress: ProgressFragment }) {
  const [includeRetries, setIncludeRetries] = useState(false);
  const hasRetries = job.retries.nodes.length > 0;
  const without = hasRetries ? null : whyNone(job, progress);
  return (
    <section class="panel" aria-labelledby="records-title">
      <h2 id="records-title">Loaded records</h2>
      {hasRetries && (
        <label class="check records-switch">
          <input
            type="checkbox"
            role="switch"
            checked={includeRetries}
            onChange={(event) => setIncludeRetries(event.currentTarget.checked)}
          />
          <span>
            With those of its retries <span class="hint">One list, in the order of the first file.</span>
          </span>
        </label>
      )}
      {without ? <p class="empty">{without}</p> : <RecordTable job={job} includeRetries={includeRetries} />}
    </section>
  );
}

function whyNone({ dryRun, discard }: JobDetailFragment, { recordsAccepted, status }: ProgressFragment): string | null {
  if (dryRun) {
    return "A dry run loads none. Load the file, and they are here, on the page of the job that loads it.";
  }
  if (discard?.status === "COMPLETED" && recordsAccepted !== "0") {
    return "They were deleted again.";
  }
  if (recordsAccepted === "0") {
    return status === "PROCESSING" ? "None so far." : "None: no record of this file was accepted.";
  }
  return null;
}
