import { percent } from "../locale";

/** How far something is, from 0 to 100. */
export function ProgressBar({ value, label }: { value: number; label: string }) {
  return (
    <div class="bar">
      <progress max={100} value={value} aria-label={label} />
      <span aria-hidden="true">{percent(value)}</span>
    </div>
  );
}
