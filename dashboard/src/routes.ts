import { computed, signal } from "@preact/signals";

import { parse, to, type Route } from "./addresses";

export { to, type Route };

const hash = signal(location.hash);
let mayLeave: () => boolean = () => true;

window.addEventListener("hashchange", (event) => {
  if (mayLeave()) {
    hash.value = location.hash;
  } else {
    history.pushState(null, "", event.oldURL);
  }
});

/** `ask` is asked before another view is shown: false stays here. Gives what ends that. */
export function askBeforeLeaving(ask: () => boolean): () => void {
  mayLeave = ask;
  return () => void (mayLeave = () => true);
}

/** Whether what is shown may be left, by another way than to another view. It asks the person where something would be lost. */
export function mayBeLeft(): boolean {
  return mayLeave();
}

export const route = computed(() => parse(hash.value));

/** Leads there. */
export function go(target: Route): void {
  location.hash = to(target);
}
