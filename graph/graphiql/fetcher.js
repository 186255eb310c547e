// How GraphiQL talks to Sluice: operations as JSON, files as multipart, subscriptions over a WebSocket.

import { getOperationAST } from "graphql";
import { createClient } from "graphql-ws";

const URL_PATH = location.pathname;
const NO_KEY = "An API key is needed: type it into the field “API key” at the top of this page.";

/** For one key; `chosenFile` gives the file (or null) that submitFile is to send. */
export function createFetcher(key, chosenFile) {
  const socket = createClient({
    url: location.origin.replace(/^http/, "ws") + URL_PATH,
    connectionParams: { apiKey: key },
  });
  return async (operation, { documentAST } = {}) => {
    if (!key) {
      return { errors: [{ message: NO_KEY }] };
    }
    if (documentAST && getOperationAST(documentAST, operation.operationName)?.operation === "subscription") {
      return events(socket, operation);
    }
    return post(key, operation, chosenFile());
  };
}

/** The GraphQL response. A refused request has one, too: its body says in `errors` why. */
export async function post(key, operation, file) {
  const body = file && operation.variables?.input?.file === null ? multipart(operation, file) : JSON.stringify(operation);
  const headers = { accept: "application/graphql-response+json, application/json;q=0.9", "x-api-key": key };
  if (typeof body === "string") {
    headers["content-type"] = "application/json";
  }
  const response = await fetch(URL_PATH, { method: "POST", headers, body }).catch(() => {
    throw new Error("The connection to the server broke off. Is it running, and reachable from here?");
  });
  if (!response.headers.get("content-type")?.includes("json")) {
    throw new Error(`Something between you and Sluice answered ${response.status} ${response.statusText}, and no JSON.`);
  }
  return response.json();
}

/** By the GraphQL multipart request spec; the browser reads the file as it sends it. */
function multipart(operation, file) {
  const form = new FormData();
  form.set("operations", JSON.stringify(operation));
  form.set("map", JSON.stringify({ 0: ["variables.input.file"] }));
  form.set("0", file);
  return form;
}

async function* events(socket, operation) {
  try {
    yield* socket.iterate(operation);
  } catch (error) {
    if (error instanceof CloseEvent) {
      const why = error.code === 4403 ? "this API key is not valid" : error.reason || "the connection is gone";
      throw new Error(`The server ended the subscription (${error.code}): ${why}.`);
    }
    throw error;
  }
}
