import type { ComponentChildren } from "preact";

/** A table that scrolls by itself, by keyboard too, so that the page does not. */
export function TableFrame({ label, busy = false, children }: { label: string; busy?: boolean; children: ComponentChildren }) {
  return (
    <div class="table-frame tall" role="region" aria-label={label} aria-busy={busy} tabIndex={0}>
      {children}
    </div>
  );
}
