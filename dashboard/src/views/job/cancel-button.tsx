import { useMutation } from "@urql/preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { asked, inWords } from "../../api/problems";
import { CancelJobDocument, type JobDetailFragment } from "../../gql/operations";
import { announce } from "../../parts/announcer";
import { Dialog } from "../../parts/dialog";
import { Notice } from "../../parts/notice";

/** Stops a job that waits or runs, after a question that says what becomes of what it has loaded. */
export function CancelButton({ job, onChange }: { job: JobDetailFragment; onChange: () => void }) {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [{ fetching }, cancel] = useMutation(CancelJobDocument);
  const button = useFocusHandedOn();

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
      <button ref={button} type="button" class="danger" onClick={() => (setProblem(null), setAsking(true))}>
        Cancel
      </button>
      {asking && (
        <Dialog title="Cancel this file?" confirm="Cancel it" danger busy={fetching} onConfirm={confirm} onClose={() => setAsking(false)}>
          <p>Nothing more of it is read. {whatStays(job)}</p>
          {problem && <Notice kind="bad">{problem}</Notice>}
        </Dialog>
      )}
    </>
  );
}

/** The button goes when the job ends: the focus is not lost with it. */
function useFocusHandedOn() {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = button.current;
    return () => {
      if (document.activeElement === element) {
        document.getElementById("main")?.focus();
      }
    };
  }, []);
  return button;
}

function whatStays({ dryRun, onFailure }: JobDetailFragment): string {
  if (dryRun) {
    return "It is a dry run, so nothing is loaded.";
  }
  return onFailure === "DISCARD" ? "What it has loaded until then is deleted again: it is sent as all or nothing." : "What it has loaded until then stays.";
}
