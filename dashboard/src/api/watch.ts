import { useSubscription } from "@urql/preact";
import { useEffect, useRef } from "preact/hooks";

import { WatchJobDocument, type ProgressFragment } from "../gql/operations";
import { isFinal } from "../words";

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

/** A final state never gives way to one that was on its way before it. */
function isNewer(heard: ProgressFragment, known: ProgressFragment): boolean {
  if (isFinal(known.status)) {
    return false;
  }
  return isFinal(heard.status) || Date.parse(heard.at) >= Date.parse(known.at) || heard.bytesRead !== known.bytesRead;
}
