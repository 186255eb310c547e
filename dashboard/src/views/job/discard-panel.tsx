import { useMutation } from "@urql/preact";
import { useState } from "preact/hooks";

import { asked, inWords } from "../../api/problems";
import { DiscardRecordsDocument, type JobDetailFragment } from "../../gql/operations";
import { counted } from "../../locale";
import { Dialog } from "../../parts/dialog";
import { Notice } from "../../parts/notice";
import { Plain } from "../../parts/plain";
import { VanishingButton } from "../../parts/vanishing-button";
import { DiscardState } from "./discard-state";

/** Undoes what a job has loaded, after a question that names what goes. */
export function DiscardPanel({ job, onChange }: { job: JobDetailFragment; onChange: () => void }) {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [{ fetching }, discard] = useMutation(DiscardRecordsDocument);
  if (!job.discard && (job.dryRun || job.progress.recordsAccepted === "0")) {
    return null; // there is nothing to undo
  }

  const confirm = async () => {
    const { data, error } = await discard({ input: { jobId: job.id } });
    const { job: changed, userErrors } = data?.discardRecords ?? {};
    if (!changed?.discard) {
      setProblem(error ? inWords(error) : asked(userErrors));
      return;
    }
    setAsking(false);
    onChange();
  };

  return (
    <section class="panel" aria-labelledby="discard-title">
      <h2 id="discard-title" tabIndex={-1}>
        Undo
      </h2>
      {job.discard ? (
        <DiscardState job={job} discard={job.discard} onEnd={onChange} />
      ) : (
        <>
          <p>Was it the wrong file? What it has loaded can be deleted again. {aroundIt(job)}</p>
          <VanishingButton class="danger" next="discard-title" onClick={() => (setProblem(null), setAsking(true))}>
            Delete the loaded records…
          </VanishingButton>
        </>
      )}
      {asking && (
        <Dialog
          title="Delete the loaded records?"
          confirm="Delete them"
          danger
          busy={fetching}
          onConfirm={confirm}
          onClose={() => setAsking(false)}
        >
          <p>
            {counted(job.progress.recordsAccepted, "record")} that “<Plain text={job.filename} />” loaded under the schema “
            <Plain text={job.recordSchema.name} />” are deleted. Its errors and counts stay. {aroundIt(job)} This cannot be undone.
          </p>
          {problem && <Notice kind="bad">{problem}</Notice>}
        </Dialog>
      )}
    </section>
  );
}

/** What it means for the files before and behind it. */
function aroundIt({ retries, parent }: JobDetailFragment): string {
  const stays = retries.nodes.length > 0 ? "What its retries have loaded stays: delete that on their own pages. " : "";
  return stays + (parent ? "In the file of which this is a retry, the records are outstanding again then." : "");
}
