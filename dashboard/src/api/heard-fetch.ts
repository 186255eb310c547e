import { noteRequest, noteSlow } from "./connection";
import { withExactNumbers } from "./exact";

const HEALTH = "/health";
const PROBE_EVERY_MS = 3_000;
const SLOW_MS = 5_000;

/** fetch that notes whether the server can be heard, and keeps all digits of what is shown to the last one. */
export const heardFetch: typeof fetch = async (input, init) => {
  let atLast = () => {};
  const timer = setTimeout(() => (atLast = noteSlow()), SLOW_MS);
  try {
    const response = await fetch(input, init);
    noteRequest(false);
    return isExact(init) ? exactly(response) : response;
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) {
      noteRequest(true);
      probe();
    }
    throw error;
  } finally {
    clearTimeout(timer);
    atLast();
  }
};

/** Finds out whether the server is there at all: something that was asked of it in another way has failed. */
export function lookForServer(): void {
  void heardFetch(HEALTH, { cache: "no-store" }).catch(() => undefined);
}

/** Records are shown, and rules of a schema kept for its next version, to the last digit. */
function isExact(init?: RequestInit): boolean {
  return typeof init?.body === "string" && /"operationName":"(?:Records|Schema)"/.test(init.body);
}

async function exactly(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  return new Response(withExactNumbers(await response.text()), { status, statusText, headers });
}

let probing: ReturnType<typeof setInterval> | undefined;

/** Listens for the server until it answers anything: the views ask anew then. */
function probe(): void {
  probing ??= setInterval(() => {
    void fetch(HEALTH, { cache: "no-store" }).then(
      () => {
        clearInterval(probing);
        probing = undefined;
        noteRequest(false);
      },
      () => undefined,
    );
  }, PROBE_EVERY_MS);
}
