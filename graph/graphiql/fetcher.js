// How GraphiQL talks to Sluice: operations as JSON, files as multipart, subscriptions over a WebSocket.

import { getOperationAST, parse } from "graphql";
import { createClient } from "graphql-ws";

const URL_PATH = location.pathname;
const FORBIDDEN = 4403;
const NO_KEY = "An API key is needed: type it into the field “API key” at the top of this page.";

/** For one key; `chosenFile` gives the file (or null) that submitFile is to send. */
export function createFetcher(key, chosenFile) {
  const socket = createClient({
    url: location.origin.replace(/^http/, "ws") + URL_PATH,
    connectionParams: { apiKey: key },
    shouldRetry: (reason) => reason instanceof CloseEvent && reason.code !== FORBIDDEN,
  });
  return async ({ query, variables, operationName }) => {
    if (!key) {
      return { errors: [{ message: NO_KEY }] };
    }
    const chosen = chosenOperation(query, operationName);
    const operation = { query, variables, operationName: chosen?.name?.value };
    return chosen?.operation === "subscription" ? events(socket, operation) : post(key, operation, chosenFile());
  };
}

/** GraphiQL's idea of the name is that of the tab before, for a moment after a change of tabs. */
function chosenOperation(query, name) {
  try {
    const document = parse(query);
    return getOperationAST(document, name) ?? getOperationAST(document);
  } catch {
    return null; // the server says what is wrong with it
  }
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
      const why = error.code === FORBIDDEN ? "this API key is not valid" : error.reason || "the connection is gone";
      throw new Error(`The server ended the subscription (${error.code}): ${why}.`);
    }
    throw error;
  }
}
