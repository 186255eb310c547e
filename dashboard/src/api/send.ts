import { stringifyDocument, type TypedDocumentNode } from "@urql/core";

import { noteRequest } from "./connection";
import { ENDPOINT } from "./endpoint";
import { lookForServer } from "./heard-fetch";

/** Why nothing came of it. `refused`: the server has said no, and would again. */
export class SendError extends Error {
  constructor(
    message: string,
    readonly refused: boolean,
  ) {
    super(message);
  }
}

interface Options {
  key: string;
  /** Where in the variables the file belongs: "input.file". There is null in them. */
  path: string;
  file: Blob;
  filename: string;
  onProgress?: (sentBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Sends an operation with a file, by the GraphQL multipart request spec. The browser reads the file as it sends it.
 *
 * fetch cannot tell how far an upload is, so this is XMLHttpRequest. Throws SendError, or the signal's AbortError.
 */
export function send<Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { key, path, file, filename, onProgress, signal }: Options,
): Promise<Data> {
  const request = new XMLHttpRequest();
  return new Promise<Data>((resolve, reject) => {
    request.open("POST", ENDPOINT);
    request.setRequestHeader("x-api-key", key);
    request.setRequestHeader("accept", "application/graphql-response+json, application/json;q=0.9");
    request.upload.onprogress = (event) => onProgress?.(event.loaded, event.total);
    request.onload = () => {
      noteRequest(false);
      try {
        resolve(dataOf<Data>(request));
      } catch (error) {
        reject(error);
      }
    };
    request.onerror = () => {
      lookForServer(); // the request itself does not tell whether it was the server or the file
      reject(new SendError(BROKEN, false));
    };
    request.onabort = () => reject(signal?.reason ?? new DOMException("cancelled", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    request.send(multipart(stringifyDocument(document), variables, path, file, filename));
  });
}

const BROKEN =
  "The connection to the server broke off while the file was sent, or the file cannot be read any more. " +
  "Try again: it counts once, even if it did arrive.";

function multipart(query: string, variables: unknown, path: string, file: Blob, filename: string): FormData {
  const form = new FormData();
  form.set("operations", JSON.stringify({ query, variables }));
  form.set("map", JSON.stringify({ 0: [`variables.${path}`] }));
  form.set("0", file, filename);
  return form;
}

function dataOf<Data>(request: XMLHttpRequest): Data {
  let answer: { data?: Data | null; errors?: { message: string }[] };
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    if (request.status === 413) {
      throw new SendError(
        "Something between this page and Sluice does not let a file of this size through. Ask who runs this server.",
        true,
      );
    }
    throw new SendError(`Something between this page and Sluice answered ${request.status}. Try again.`, false);
  }
  if (answer.errors?.length || !answer.data) {
    const message = answer.errors?.map((error) => error.message).join(" ") ?? "The server gave no answer. Try again.";
    throw new SendError(message, request.status < 500 && request.status !== 429);
  }
  return answer.data;
}
