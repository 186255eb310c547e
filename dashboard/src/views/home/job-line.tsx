import { useProgress } from "../../api/watch";
import type { JobsQuery } from "../../gql/operations";
import { count } from "../../locale";
import { Moment } from "../../parts/moment";
import { Plain, visible } from "../../parts/plain";
import { ProgressBar } from "../../parts/progress-bar";
import { StatusBadge } from "../../parts/status-badge";
import { to } from "../../routes";

/** A job in the list; it moves while the job runs. */
export function JobLine({ job, onEnd }: { job: JobsQuery["jobs"]["nodes"][number]; onEnd: () => void }) {
  const progress = useProgress(job.progress, onEnd);
  return (
    <tr>
      <th scope="row">
        <a href={to({ view: "job", id: job.id })}>
          <Plain text={job.filename} />
        </a>
        {job.parent && <span class="badge">Retry</span>}
        {job.dryRun && <span class="badge dry-run">Dry run</span>}
      </th>
      <td>
        <StatusBadge status={progress.status} />
        {progress.status === "PROCESSING" && <ProgressBar value={progress.percent} label={`Read of ${visible(job.filename)}`} />}
      </td>
      <td class="number">{count(progress.recordsAccepted)}</td>
      <td class="number">{count(progress.recordsRejected)}</td>
      <td>
        <a href={to({ view: "schema", id: job.recordSchema.id })}>
          <Plain text={job.recordSchema.name} /> <span class="hint">v{job.recordSchema.version}</span>
        </a>
      </td>
      <td>
        <Moment at={job.createdAt} />
      </td>
    </tr>
  );
}
