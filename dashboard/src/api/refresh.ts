import { useEffect, useRef } from "preact/hooks";

import { reconnections } from "./connection";

/** Asks anew when what it depends on has changed. */
export function useAskAgain(ask: () => void, when: string): void {
  const before = useRef(when);
  useEffect(() => {
    if (before.current !== when) {
      before.current = when;
      ask();
    }
  }, [when]);
}

/**
 * Asks anew: every `everyMs` while the page is seen (0: not by itself), when somebody comes back to it, and when the
 * server can be heard again.
 */
export function useRefresh(ask: () => void, everyMs = 0): void {
  const newest = useRef(ask);
  newest.current = ask;
  useEffect(() => {
    const askWhenSeen = () => document.visibilityState === "visible" && newest.current();
    document.addEventListener("visibilitychange", askWhenSeen);
    const timer = everyMs > 0 ? setInterval(askWhenSeen, everyMs) : undefined;
    return () => {
      document.removeEventListener("visibilitychange", askWhenSeen);
      clearInterval(timer);
    };
  }, [everyMs]);
  const times = reconnections.value;
  const before = useRef(times);
  useEffect(() => {
    if (before.current !== times) {
      before.current = times;
      newest.current();
    }
  }, [times]);
}
