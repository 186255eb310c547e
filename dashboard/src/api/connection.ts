import { computed, signal } from "@preact/signals";

const socketLost = signal(false);
const requestLost = signal(false);
const offline = signal(!navigator.onLine);

/** Whether the server can't be heard at the moment. What it does goes on without us. */
export const connectionLost = computed(() => offline.value || socketLost.value || requestLost.value);

/** Grows each time the server can be heard again: what was read before may be old. */
export const reconnections = signal(0);

export const isOffline = computed(() => offline.value);

window.addEventListener("offline", () => note(offline, true));
window.addEventListener("online", () => note(offline, false));

const slowRequests = signal(0);

/** Whether an answer takes long: the server, or its database, is there and busy or stuck. */
export const isSlow = computed(() => slowRequests.value > 0);

/** An answer begins to take long. Gives what ends that. */
export function noteSlow(): () => void {
  slowRequests.value += 1;
  return () => void (slowRequests.value -= 1);
}

/** The socket of the subscriptions broke off, or is back. */
export function noteSocket(lost: boolean): void {
  note(socketLost, lost);
}

/** A request found no server, or found it. */
export function noteRequest(lost: boolean): void {
  note(requestLost, lost);
}

function note(cause: { value: boolean }, lost: boolean): void {
  const before = connectionLost.value;
  cause.value = lost;
  if (before && !connectionLost.value) {
    reconnections.value += 1;
  }
}
