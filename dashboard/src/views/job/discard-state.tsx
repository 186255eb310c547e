import { useEffect } from "preact/hooks";

import type { DiscardFragment, JobDetailFragment } from "../../gql/operations";
import { count, counted } from "../../locale";
import { announce } from "../../parts/announcer";
import { Moment } from "../../parts/moment";
import { ProgressBar } from "../../parts/progress-bar";
import { useDiscard } from "./discard-progress";

interface Props {
  job: JobDetailFragment;
  discard: DiscardFragment;
  onEnd: () => void;
}

/** How far the records of a job are deleted again. */
export function DiscardState({ job, discard, onEnd }: Props) {
  const { status, recordsTotal, recordsDiscarded, percent, finishedAt } = useDiscard(discard, () => {
    announce("All of the records are deleted.");
    onEnd();
  });
  useEffect(() => {
    if (status !== "COMPLETED") {
      announce("The records are being deleted.");
    }
  }, []);
  const itself =
    job.onFailure === "DISCARD" && job.status !== "COMPLETED" ? " The file was sent as all or nothing, and did not end well." : "";
  if (status === "COMPLETED") {
    return (
      <p>
        {counted(recordsTotal, "record")} of this file {recordsTotal === "1" ? "is" : "are"} deleted again
        {finishedAt && (
          <>
            , since <Moment at={finishedAt} />
          </>
        )}
        .{itself}
      </p>
    );
  }
  return (
    <>
      <p>
        {status === "PENDING"
          ? "The deletion waits for its turn."
          : `${count(recordsDiscarded)} of ${counted(recordsTotal, "record")} are deleted.`}
        {itself}
      </p>
      <ProgressBar value={percent} label="Deleted of the records" />
    </>
  );
}
