import { computed, signal } from "@preact/signals";

import { parse, to, type Route } from "./addresses";

export { to, type Route };

const hash = signal(location.hash);
window.addEventListener("hashchange", () => (hash.value = location.hash));

export const route = computed(() => parse(hash.value));

/** Leads there. */
export function go(target: Route): void {
  location.hash = to(target);
}
