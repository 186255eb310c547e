import { useEffect, useRef } from "preact/hooks";

import type { ProgressFragment } from "../../gql/operations";
import { count, counted, percent } from "../../locale";
import { announce } from "../../parts/announcer";
import { isFinal, STATUS_SENTENCE } from "../../words";

const STEP = 25;

/** Lets a screen reader say each change of a job's state, and each quarter of the way. */
export function useSpokenProgress(progress: ProgressFragment): void {
  const before = useRef(progress.status);
  useEffect(() => {
    if (before.current !== progress.status) {
      before.current = progress.status;
      announce(stateInWords(progress));
    }
  }, [progress.status]);

  const step = quarter(progress);
  useEffect(() => {
    if (step > 0) {
      announce(`${percent(step)} of the file is read.`);
    }
  }, [step]);
}

/** The quarters that a job has behind it, as a percentage; 0 when it does not run: its end is news of its own. */
export function quarter({ status, percent }: Pick<ProgressFragment, "status" | "percent">): number {
  return status === "PROCESSING" && percent < 100 ? Math.floor(percent / STEP) * STEP : 0;
}

/** A job's state in a sentence, with its counts once they stay. */
export function stateInWords(progress: Pick<ProgressFragment, "status" | "recordsRead" | "recordsAccepted" | "recordsRejected">): string {
  const sentence = STATUS_SENTENCE[progress.status];
  if (!isFinal(progress.status)) {
    return sentence;
  }
  const { recordsRead, recordsAccepted, recordsRejected } = progress;
  return `${sentence} ${counted(recordsRead, "record")} read: ${count(recordsAccepted)} accepted, ${count(recordsRejected)} rejected.`;
}
