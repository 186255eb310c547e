import { createClient } from "graphql-ws";
import { Environment, Network, Observable, RecordSource, Store } from "relay-runtime";
import type { FetchFunction, GraphQLResponse, SubscribeFunction } from "relay-runtime";
import { WebSocket } from "ws"; // Node.js 20 has none; a browser has its own

const url = process.env["SLUICE_URL"] ?? "http://localhost:8000/graphql";
const apiKey = process.env["SLUICE_API_KEY"]!;
const headers = { "X-API-Key": apiKey };

const fetchOperation: FetchFunction = async ({ text }, variables, _cacheConfig, uploadables) => {
  const operation = JSON.stringify({ query: text, variables });
  const response = await (uploadables
    ? fetch(url, { method: "POST", headers, body: multipart(operation, uploadables["file"] as File) })
    : fetch(url, {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: operation,
      }));
  return (await response.json()) as GraphQLResponse;
};

/** The parts operations, map and the file, in this order. */
function multipart(operation: string, file: File): FormData {
  const body = new FormData();
  body.set("operations", operation);
  body.set("map", JSON.stringify({ 0: ["variables.input.file"] }));
  body.set("0", file);
  return body;
}

const webSocket = createClient({
  url: url.replace("http", "ws"),
  connectionParams: { apiKey },
  webSocketImpl: WebSocket,
});
const subscribe: SubscribeFunction = ({ text }, variables) =>
  Observable.create((sink) =>
    webSocket.subscribe(
      { query: text!, variables },
      { ...sink, next: (result) => sink.next(result as GraphQLResponse) },
    ),
  );

export const environment = new Environment({
  network: Network.create(fetchOperation, subscribe),
  store: new Store(new RecordSource()),
});
