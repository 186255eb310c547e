import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { createClient } from "graphql-sse";
import {
  CancelJobDocument,
  ListErrorsDocument,
  ListRecordsDocument,
  SubmitFileDocument,
  WatchJobDocument,
  type ListRecordsQueryVariables,
  type SubmitFileMutation,
} from "./gql/graphql.js";

const url = process.env["SLUICE_URL"] ?? "http://localhost:8000/graphql";
const headers = { "X-API-Key": process.env["SLUICE_API_KEY"]! };
const [schemaId, path] = process.argv.slice(2) as [string, string];
const show = (line: object) => console.log(JSON.stringify(line));

const client = createClient({ url, headers });

/** Each result of an operation: one of a query or mutation, many of a subscription. */
async function* results<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): AsyncGenerator<Data> {
  for await (const { data, errors } of client.iterate<Data>({ query: print(document), variables })) {
    if (errors) throw new Error(errors.map(({ message }) => message).join("\n"));
    yield data!;
  }
}

/** The one result of a query or mutation. */
async function result<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  for await (const data of results(document, variables)) return data;
  throw new Error("no result");
}

/** A file goes by plain fetch: the parts operations, map and the file, in this order. */
async function submit(): Promise<string> {
  const operations = { query: print(SubmitFileDocument), variables: { input: { schemaId, file: null } } };
  const body = new FormData();
  body.set("operations", JSON.stringify(operations));
  body.set("map", JSON.stringify({ 0: ["variables.input.file"] }));
  body.set("0", await openAsBlob(path), basename(path)); // in a browser: the File of an <input>
  const response = await fetch(url, { method: "POST", headers, body });
  const { data, errors } = (await response.json()) as { data?: SubmitFileMutation; errors?: { message: string }[] };
  if (errors) throw new Error(errors.map(({ message }) => message).join("\n"));
  const { job, userErrors } = data!.submitFile;
  if (!job) throw new Error(userErrors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return job.id;
}

// Stop a job: nothing more of it is loaded.
const mistake = await submit();
const { cancelJob } = await result(CancelJobDocument, { input: { jobId: mistake } });
show({ cancelled: cancelJob.job });

// Submit a file, and follow it to its end.
const jobId = await submit();
for await (const { jobProgress } of results(WatchJobDocument, { jobId })) show({ progress: jobProgress });

// Read what came of it, page by page.
const page: ListRecordsQueryVariables = { id: jobId };
do {
  const { nodes, pageInfo } = (await result(ListRecordsDocument, { ...page })).job!.records;
  for (const record of nodes) show({ record });
  page.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (page.after);
do {
  const { nodes, pageInfo } = (await result(ListErrorsDocument, { ...page })).job!.errors;
  for (const error of nodes) show({ error });
  page.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (page.after);
