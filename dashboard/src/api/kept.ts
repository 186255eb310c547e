import { useRef } from "preact/hooks";

/** What was heard last: an answer that never came, because the connection is lost, takes nothing away from what is shown. */
export function useKept<Data>(heard: Data | undefined): Data | undefined {
  const kept = useRef(heard);
  if (heard !== undefined) {
    kept.current = heard;
  }
  return kept.current;
}
