import { signal } from "@preact/signals";

const said = signal("");

/** Lets a screen reader say it, when it has a pause. Nobody sees it. */
export function announce(text: string): void {
  said.value = said.value === text ? `${text}\u00a0` : text; // what does not change is not said again
}

/** Where `announce` speaks: once in the page. */
export function Announcer() {
  return (
    <div class="heard-only" role="status" aria-live="polite" data-testid="announcer">
      {said.value}
    </div>
  );
}
