import { cacheExchange, Client, fetchExchange, mapExchange, subscriptionExchange, type CombinedError } from "@urql/core";

import { noteSocket } from "./connection";
import { ENDPOINT } from "./endpoint";
import { heardFetch } from "./heard-fetch";
import { openSocket } from "./socket";

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
