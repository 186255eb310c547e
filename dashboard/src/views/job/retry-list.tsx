import { useProgress } from "../../api/watch";
import type { RetriesQuery } from "../../gql/operations";
import { count } from "../../locale";
import { Moment } from "../../parts/moment";
import { Pager, type Pages } from "../../parts/pager";
import { Plain } from "../../parts/plain";
import { ProgressBar } from "../../parts/progress-bar";
import { StatusBadge } from "../../parts/status-badge";
import { to } from "../../routes";

type Retries = NonNullable<RetriesQuery["job"]>["retries"];

interface Props {
  /** Undefined until they are known. */
  retries: Retries | undefined;
  pages: Pages;
  /** One of them has ended: what is outstanding is less now. */
  onEnd: () => void;
}

/** The jobs that have tried the rejected records again, newest first. */
export function RetryList({ retries, pages, onEnd }: Props) {
  if (!retries?.nodes.length) {
    return null;
  }
  return (
    <>
      <h3 id="retries-title">Retries</h3>
      <div class="table-frame">
        <table class="retries" aria-labelledby="retries-title">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Accepted
              </th>
              <th scope="col" class="number">
                Rejected
              </th>
              <th scope="col">Schema</th>
              <th scope="col">Sent</th>
            </tr>
          </thead>
          <tbody>
            {retries.nodes.map((retry) => (
              <RetryLine retry={retry} key={retry.id} onEnd={onEnd} />
            ))}
          </tbody>
        </table>
      </div>
      <Pager pages={pages} info={retries.pageInfo} label="retries" />
    </>
  );
}

function RetryLine({ retry, onEnd }: { retry: Retries["nodes"][number]; onEnd: () => void }) {
  const progress = useProgress(retry.progress, onEnd);
  return (
    <tr>
      <th scope="row">
        <a href={to({ view: "job", id: retry.id })}>
          <Plain text={retry.filename} />
        </a>
        {retry.failure && (
          <div class="hint said">
            <Plain text={retry.failure.message} />
          </div>
        )}
      </th>
      <td>
        <StatusBadge status={progress.status} />
        {progress.status === "PROCESSING" && <ProgressBar value={progress.percent} label="Read of this retry" />}
      </td>
      <td class="number">{count(progress.recordsAccepted)}</td>
      <td class="number">{count(progress.recordsRejected)}</td>
      <td>version {retry.recordSchema.version}</td>
      <td>
        <Moment at={retry.createdAt} />
      </td>
    </tr>
  );
}
