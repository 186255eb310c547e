import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  summary: ComponentChildren;
  /** Opens when this becomes true: something in it has to be seen. It is closed by the person alone. */
  hasProblem: boolean;
  panel?: boolean;
  children: ComponentChildren;
}

/** What most people need not see. */
export function Disclosure({ summary, hasProblem, panel = false, children }: Props) {
  const element = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (hasProblem && element.current) {
      element.current.open = true;
    }
  }, [hasProblem]);
  return (
    <details ref={element} class={panel ? "panel" : undefined}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}
