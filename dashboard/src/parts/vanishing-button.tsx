import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  class?: string;
  disabled?: boolean;
  busy?: boolean;
  /** The id of what gets the focus when the button goes. */
  next: string;
  onClick: () => void;
  children: ComponentChildren;
}

/** A button that is there only as long as it can do something: the focus is not lost with it. */
export function VanishingButton({ class: kind = "", disabled = false, busy = false, next, onClick, children }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = button.current;
    return () => {
      if (document.activeElement === element) {
        document.getElementById(next)?.focus();
      }
    };
  }, [next]);
  return (
    <button ref={button} type="button" class={kind} disabled={disabled} aria-busy={busy} onClick={onClick}>
      {children}
    </button>
  );
}
