import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  children: ComponentChildren;
  /** What the button says that goes on. */
  confirm: string;
  danger?: boolean;
  busy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** A question that has to be answered first. The browser keeps the focus in it, and Escape leaves it. */
export function Dialog({ title, children, confirm, danger = false, busy = false, onConfirm, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      dialog.current?.close();
      (before as HTMLElement | null)?.focus?.();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={heading} onCancel={(event) => (event.preventDefault(), onClose())}>
      <h2 id={heading}>{title}</h2>
      {children}
      <div class="row end">
        <button type="button" onClick={onClose}>
          No, go back
        </button>
        {/* Busy, it keeps the focus, which a disabled button would lose. */}
        <button
          type="button"
          class={danger ? "danger" : "primary"}
          aria-busy={busy}
          aria-disabled={busy}
          onClick={() => busy || onConfirm()}
        >
          {confirm}
        </button>
      </div>
    </dialog>
  );
}
