import { useEffect } from "preact/hooks";

import { useProgress } from "../../api/watch";
import type { JobDetailFragment } from "../../gql/operations";
import { visible } from "../../parts/plain";
import { isFinal } from "../../words";
import { DiscardPanel } from "./discard-panel";
import { DryRunPanel } from "./dry-run-panel";
import { ErrorsPanel } from "./errors-panel";
import { FactsPanel } from "./facts-panel";
import { FailureNotice } from "./failure-notice";
import { MendPanel } from "./mend-panel";
import { ProgressPanel } from "./progress-panel";
import { RecordsPanel } from "./records-panel";
import { useSpokenProgress } from "./spoken-progress";

interface Props {
  job: JobDetailFragment;
  /** Something of it has changed, or may have: it is to be asked for anew. */
  onChange: () => void;
}

/** A job from its state to its undoing. It moves while it runs. */
export function JobPanels({ job, onChange }: Props) {
  const progress = useProgress(job.progress, onChange);
  useSpokenProgress(progress);
  useEffect(() => {
    document.title = `${visible(job.filename)} · Sluice`;
  }, [job.filename]);
  const ended = isFinal(job.status);
  const begun = progress.status !== "PENDING";

  return (
    <>
      <ProgressPanel job={job} progress={progress} onChange={onChange} />
      {job.failure && <FailureNotice failure={job.failure} />}
      {job.dryRun && <DryRunPanel job={job} />}
      {begun && <ErrorsPanel job={job} />}
      {ended && <MendPanel job={job} onChange={onChange} />}
      {begun && <RecordsPanel job={job} progress={progress} />}
      <FactsPanel job={job} progress={progress} />
      {ended && <DiscardPanel job={job} onChange={onChange} />}
    </>
  );
}
