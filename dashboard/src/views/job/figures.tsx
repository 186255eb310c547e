import type { ComponentChildren } from "preact";

import type { JobDetailFragment, ProgressFragment } from "../../gql/operations";
import { count, duration, pace } from "../../locale";
import { isFinal } from "../../words";

/** A job's counts, large; while it runs, its pace too. */
export function Figures({ job, progress }: { job: JobDetailFragment; progress: ProgressFragment }) {
  const runs = progress.status === "PROCESSING";
  const { recordsRead, recordsAccepted, recordsRejected, recordsPerSecond, etaSeconds } = progress;
  return (
    <dl class="figures">
      <Figure name="Records read">{count(recordsRead)}</Figure>
      <Figure name="Accepted" kind={recordsAccepted === "0" ? "" : "good"}>
        {count(recordsAccepted)}
      </Figure>
      <Figure name="Rejected" kind={recordsRejected === "0" ? "" : "bad"}>
        {count(recordsRejected)}
      </Figure>
      {runs && (
        <Figure name="Rate" kind="long">
          {recordsPerSecond == null ? "…" : pace(recordsPerSecond)}
        </Figure>
      )}
      {runs && (
        <Figure name="Time left" kind="long">
          {etaSeconds == null ? "…" : duration(etaSeconds)}
        </Figure>
      )}
      {isFinal(job.status) && !job.dryRun && recordsRejected !== "0" && (
        <Figure name="Outstanding" kind={job.outstanding === "0" ? "good" : "bad"}>
          {count(job.outstanding)}
        </Figure>
      )}
    </dl>
  );
}

function Figure({ name, kind = "", children }: { name: string; kind?: "good" | "bad" | "long" | ""; children: ComponentChildren }) {
  return (
    <div class={kind}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
