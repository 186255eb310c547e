import { useSubscription } from "@urql/preact";
import { useEffect, useRef } from "preact/hooks";

import { WatchDiscardDocument, type DiscardFragment } from "../../gql/operations";

/** The newest state of a discard: the one that a query gave, or what its subscription has said since. */
export function useDiscard(known: DiscardFragment, onEnd: () => void): DiscardFragment {
  const ended = known.status === "COMPLETED";
  const [{ data }] = useSubscription({ query: WatchDiscardDocument, variables: { jobId: known.jobId }, pause: ended });
  const heard = data?.discardProgress;
  const newest = !ended && heard && BigInt(heard.recordsDiscarded) >= BigInt(known.recordsDiscarded) ? heard : known;

  const wasRunning = useRef(!ended);
  useEffect(() => {
    if (wasRunning.current && newest.status === "COMPLETED") {
      wasRunning.current = false;
      onEnd();
    }
  }, [newest.status]);
  return newest;
}
