import { useSubscription } from "@urql/preact";
import { useEffect, useRef } from "preact/hooks";

import { WatchJobDocument, type ProgressFragment } from "../gql/operations";
import { isFinal } from "../words";

type Stand = Pick<ProgressFragment, "status" | "bytesRead" | "at">;

/**
 * The newest state of a job: the one that a query gave, or what its subscription has said since.
 *
 * `onEnd` is called when it ends while it is watched: counts, failure and links can be asked for then.
 */
export function useProgress(known: ProgressFragment, onEnd: () => void): ProgressFragment {
  const [{ data }] = useSubscription({
    query: WatchJobDocument,
    variables: { jobId: known.jobId },
    pause: isFinal(known.status),
  });
  const heard = data?.jobProgress;
  const newest = heard && heard.jobId === known.jobId && isNewer(heard, known) ? heard : known;

  const wasRunning = useRef(!isFinal(known.status));
  useEffect(() => {
    if (wasRunning.current && isFinal(newest.status)) {
      wasRunning.current = false;
      onEnd();
    }
  }, [newest.status]);
  return newest;
}

/**
 * Whether what was heard is newer than what a query knows. A final state never gives way to one that was on its way before it,
 * and counts never go back: what was heard may be old, where a query still comes through and the subscription does not.
 */
export function isNewer(heard: Stand, known: Stand): boolean {
  if (isFinal(heard.status) || isFinal(known.status)) {
    return !isFinal(known.status);
  }
  const ahead = BigInt(heard.bytesRead) - BigInt(known.bytesRead);
  return ahead === 0n ? Date.parse(heard.at) >= Date.parse(known.at) : ahead > 0n;
}
