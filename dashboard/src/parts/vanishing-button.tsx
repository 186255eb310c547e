import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";

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
  useLayoutEffect(() => () => handFocusOn(next), [next]); // while the button is still there: other effects end after that
  return (
    <button type="button" class={kind} disabled={disabled} aria-busy={busy} onClick={onClick}>
      {children}
    </button>
  );
}

/** Also from a dialog that the button had opened, and that went with it. */
function handFocusOn(next: string): void {
  if (document.activeElement !== document.body) {
    queueMicrotask(() => {
      if (document.activeElement === document.body) {
        document.getElementById(next)?.focus({ preventScroll: true });
      }
    });
  }
}
