import type { JobDetailFragment, ProgressFragment } from "../../gql/operations";
import { size } from "../../locale";
import { Plain } from "../../parts/plain";
import { ProgressBar } from "../../parts/progress-bar";
import { StatusBadge } from "../../parts/status-badge";
import { isFinal, STATUS_SENTENCE } from "../../words";
import { CancelButton } from "./cancel-button";
import { Figures } from "./figures";
import { LineageNote } from "./lineage-note";

interface Props {
  job: JobDetailFragment;
  progress: ProgressFragment;
  onChange: () => void;
}

/** What a person looks for first: which file it is, where it stands, and its counts. */
export function ProgressPanel({ job, progress, onChange }: Props) {
  const { status, percent, bytesRead, bytesTotal } = progress;
  return (
    <section class="panel job-progress" aria-labelledby="job-title">
      <div class="row apart job-head">
        <h1 id="job-title">
          <Plain text={job.filename} />
        </h1>
        {!isFinal(status) && <CancelButton job={job} onChange={onChange} />}
      </div>
      <p class="row">
        <StatusBadge status={status} />
        {job.dryRun && <span class="badge dry-run">Dry run</span>}
        <span>{STATUS_SENTENCE[status]}</span>
      </p>
      <LineageNote job={job} />
      {status !== "COMPLETED" && (
        <div class="job-bar">
          <ProgressBar value={percent} label="Read of the file" />
          <p class="hint">
            {size(bytesRead)} of {size(bytesTotal)} read
          </p>
        </div>
      )}
      <Figures job={job} progress={progress} />
    </section>
  );
}
