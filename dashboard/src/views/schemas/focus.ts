import { useLayoutEffect, useRef } from "preact/hooks";

/** Focuses the element with the id `first`, and gives a function that does the same once the next change is drawn. */
export function useFocus(first: string): (id: string) => void {
  const wanted = useRef<string | null>(first);
  useLayoutEffect(() => {
    if (wanted.current) {
      focusOn(wanted.current);
      wanted.current = null;
    }
  });
  return (id) => void (wanted.current = id);
}

/** Focuses an element, and opens what it is hidden in. */
function focusOn(id: string): void {
  const element = document.getElementById(id);
  for (let outer = element?.closest("details"); outer; outer = outer.parentElement?.closest("details")) {
    outer.open = true;
  }
  element?.focus();
  element?.scrollIntoView({ block: "nearest" });
}
