import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Props {
  label: string;
  /** What it means. */
  children: ComponentChildren;
  chosen: boolean;
  onChange: (chosen: boolean) => void;
}

/** A box to tick, with what that means below it. */
export function Choice({ label, children, chosen, onChange }: Props) {
  const meaning = useId();
  return (
    <div class="choice">
      <label class="check">
        <input type="checkbox" checked={chosen} aria-describedby={meaning} onChange={(event) => onChange(event.currentTarget.checked)} />
        <span>{label}</span>
      </label>
      <p id={meaning} class="hint">
        {children}
      </p>
    </div>
  );
}
