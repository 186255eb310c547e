import { createClient, type Client } from "graphql-ws";

import { noteSocket } from "./connection";
import { ENDPOINT } from "./endpoint";

const FORBIDDEN = 4403;
const NORMAL = 1000;
const SILENT = 4408;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const LONGEST_WAIT_MS = 5_000;

/** One WebSocket for all subscriptions: open while there are any, and opened again for as long as it takes. */
export function openSocket(key: string, onRefused: () => void): Client {
  let silence: ReturnType<typeof setTimeout> | undefined;
  let opened: WebSocket | undefined;
  return createClient({
    url: location.origin.replace(/^http/, "ws") + ENDPOINT,
    connectionParams: { apiKey: key },
    keepAlive: PING_EVERY_MS,
    retryAttempts: Infinity,
    retryWait: (retries) => wait(Math.min(LONGEST_WAIT_MS, 250 * 2 ** Math.min(retries, 5)) * (0.75 + Math.random() / 2)),
    shouldRetry: (reason) => !(reason instanceof CloseEvent && reason.code === FORBIDDEN),
    on: {
      opened: (socket) => (opened = socket as WebSocket),
      connected: () => noteSocket(false),
      closed: (event) => {
        clearTimeout(silence);
        const code = (event as CloseEvent).code;
        noteSocket(code !== NORMAL && code !== FORBIDDEN);
        if (code === FORBIDDEN) {
          onRefused();
        }
      },
      // A connection can be dead without saying so: after a sleep, or behind a router.
      ping: (received) => {
        if (!received) {
          silence = setTimeout(() => opened?.close(SILENT, "no answer"), PONG_WITHIN_MS);
        }
      },
      pong: (received) => received && clearTimeout(silence),
    },
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
