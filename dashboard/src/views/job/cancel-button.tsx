import { useMutation } from "@urql/preact";
import { useState } from "preact/hooks";

import { asked, inWords } from "../../api/problems";
import { CancelJobDocument, type JobDetailFragment } from "../../gql/operations";
import { announce } from "../../parts/announcer";
import { Dialog } from "../../parts/dialog";
import { Notice } from "../../parts/notice";
import { VanishingButton } from "../../parts/vanishing-button";

/** Stops a job that waits or runs, after a question that says what becomes of what it has loaded. */
export function CancelButton({ job, onChange }: { job: JobDetailFragment; onChange: () => void }) {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [{ fetching }, cancel] = useMutation(CancelJobDocument);

  const confirm = async () => {
    const { data, error } = await cancel({ input: { jobId: job.id } });
    const errors = data?.cancelJob.userErrors;
    if (errors?.some(({ code }) => code === "INVALID_STATE")) {
      announce("It had ended before it could be cancelled.");
    } else if (error || errors?.length) {
      setProblem(error ? inWords(error) : asked(errors));
      return;
    }
    setAsking(false);
    onChange();
  };

  return (
    <>
      <VanishingButton class="danger" next="main" onClick={() => (setProblem(null), setAsking(true))}>
        Cancel
      </VanishingButton>
      {asking && (
        <Dialog title="Cancel this file?" confirm="Cancel it" danger busy={fetching} onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>Nothing more of it is read. {whatStays(job)}</p>
          {problem && <Notice kind="bad">{problem}</Notice>}
        </Dialog>
      )}
    </>
  );
}

function whatStays({ dryRun, onFailure }: JobDetailFragment): string {
  if (dryRun) {
    return "It is a dry run, so nothing is loaded.";
  }
  return onFailure === "DISCARD"
    ? "What it has loaded until then is deleted again: it is sent as all or nothing."
    : "What it has loaded until then stays.";
}
