import type { JobDetailFragment, ProgressFragment } from "../../gql/operations";
import { size } from "../../locale";
import { Moment } from "../../parts/moment";
import { Plain } from "../../parts/plain";
import { ProgressBar } from "../../parts/progress-bar";
import { StatusBadge } from "../../parts/status-badge";
import { isFinal, STATUS_SENTENCE } from "../../words";
import { CancelButton } from "./cancel-button";
import { SchemaLink, took } from "./facts-panel";
import { Figures } from "./figures";
import { LineageNote } from "./lineage-note";
import { MEND_TITLE } from "./mend-panel";

interface Props {
  job: JobDetailFragment;
  progress: ProgressFragment;
  onChange: () => void;
}

/** What a person looks for first: which file it is, where it stands, and its counts. */
export function ProgressPanel({ job, progress, onChange }: Props) {
  const toMend = isFinal(job.status) && !job.dryRun && job.outstanding !== "0";
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
      <p class="job-sub">
        <span>
          <SchemaLink schema={job.recordSchema} />
        </span>{" "}
        <span>{size(job.sizeBytes)}</span>{" "}
        <span>
          sent <Moment at={job.createdAt} />
        </span>{" "}
        {job.startedAt && job.finishedAt && <span>took {took(job.startedAt, job.finishedAt)}</span>}
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
      {toMend && (
        <p class="job-next">
          <button type="button" class="primary" onClick={toMendPanel}>
            Mend what was rejected
          </button>
        </p>
      )}
    </section>
  );
}

/** A link could not: the address after the # is the view's. */
function toMendPanel(): void {
  const title = document.getElementById(MEND_TITLE);
  title?.scrollIntoView();
  title?.focus({ preventScroll: true });
}
