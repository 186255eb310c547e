import { useEffect, useRef } from "preact/hooks";

const QUESTION = "This schema is not saved. Leave it, and lose what you have changed?";

/** Asks before somebody leaves what is not saved: by a link, by the browser's buttons, or by closing the tab. */
export function useGuard(isDirty: boolean): { release: () => void } {
  const dirty = useRef(isDirty);
  dirty.current = isDirty;
  useEffect(() => {
    const onUnload = (event: BeforeUnloadEvent) => dirty.current && event.preventDefault();
    // Before the route hears of it: as a listener that captures, on the same target.
    const onHash = (event: HashChangeEvent) => {
      if (dirty.current && !window.confirm(QUESTION)) {
        event.stopImmediatePropagation();
        history.pushState(null, "", event.oldURL);
      }
    };
    window.addEventListener("beforeunload", onUnload);
    window.addEventListener("hashchange", onHash, true);
    return () => {
      window.removeEventListener("beforeunload", onUnload);
      window.removeEventListener("hashchange", onHash, true);
    };
  }, []);
  return { release: () => void (dirty.current = false) };
}
