import { cacheExchange, Client, fetchExchange, mapExchange, subscriptionExchange, type CombinedError } from "@urql/core";
import { createClient, type Client as SocketClient } from "graphql-ws";

import { noteRequest, noteSocket } from "./connection";
import { withExactNumbers } from "./exact";

export const ENDPOINT = "/graphql";
const HEALTH = "/health";
const PROBE_EVERY_MS = 3_000;
const FORBIDDEN = 4403;
const NORMAL = 1000;
const SILENT = 4408;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const LONGEST_WAIT_MS = 5_000;

/** What a page holds for as long as it is signed in. */
export interface Connection {
  client: Client;
  close(): void;
}

/** Queries and mutations as POSTs, subscriptions over one WebSocket; both with `key`. `onRefused`: the key is not valid any more. */
export function connect(key: string, onRefused: () => void): Connection {
  const socket = openSocket(key, onRefused);
  const watched = new Set<() => void>();
  const left = (subscription: () => void) => {
    if (watched.delete(subscription) && watched.size === 0) {
      noteSocket(false); // nobody tries to open it any more, so nobody would say that it is back
    }
  };
  const client = new Client({
    url: ENDPOINT,
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetch: heardFetch,
    fetchOptions: { headers: { "x-api-key": key } },
    exchanges: [
      mapExchange({ onError: (error) => isRefusal(error) && onRefused() }),
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => {
            const stop = socket.subscribe({ query: query ?? "", variables: variables ?? {} }, sink);
            watched.add(stop);
            return { unsubscribe: () => (stop(), left(stop)) };
          },
        }),
      }),
    ],
  });
  return { client, close: () => void socket.dispose() };
}

/** Whether the server does not know the key. */
export function isRefusal(error: CombinedError): boolean {
  return error.graphQLErrors.some(({ extensions }) => extensions["code"] === "UNAUTHENTICATED");
}

/** Listens for the server until it answers anything: the views ask anew then. */
function probe(): void {
  probing ??= setInterval(() => {
    void fetch(HEALTH, { cache: "no-store" }).then(() => {
      clearInterval(probing);
      probing = undefined;
      noteRequest(false);
    }, () => undefined);
  }, PROBE_EVERY_MS);
}

/** Finds out whether the server is there at all: something that was asked of it in another way has failed. */
export function lookForServer(): void {
  void heardFetch(HEALTH, { cache: "no-store" }).catch(() => undefined);
}

let probing: ReturnType<typeof setInterval> | undefined;

const heardFetch: typeof fetch = async (input, init) => {
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
  }
};

/** Records are shown, and rules of a schema kept for its next version, to the last digit. */
function isExact(init?: RequestInit): boolean {
  return typeof init?.body === "string" && /"operationName":"(?:Records|Schema)"/.test(init.body);
}

async function exactly(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  return new Response(withExactNumbers(await response.text()), { status, statusText, headers });
}

function openSocket(key: string, onRefused: () => void): SocketClient {
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
