import { useEffect, useRef } from "preact/hooks";

import { askBeforeLeaving } from "../../routes";

const QUESTION = "This schema is not saved. Leave it, and lose what you have changed?";

/** Asks before somebody leaves what is not saved: by a link, by the browser's buttons, or by closing the tab. `release` ends that. */
export function useGuard(isDirty: boolean): { release: () => void } {
  const released = useRef(false);
  const dirty = useRef(isDirty);
  dirty.current = isDirty && !released.current;
  useEffect(() => {
    const onUnload = (event: BeforeUnloadEvent) => dirty.current && event.preventDefault();
    const stopAsking = askBeforeLeaving(() => !dirty.current || window.confirm(QUESTION));
    window.addEventListener("beforeunload", onUnload);
    return () => {
      window.removeEventListener("beforeunload", onUnload);
      stopAsking();
    };
  }, []);
  const release = () => {
    released.current = true;
    dirty.current = false;
  };
  return { release };
}
