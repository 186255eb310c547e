import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { ApolloClient, ApolloLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws"; // Node.js 20 has none; a browser has its own
import {
  CancelJobDocument,
  ListErrorsDocument,
  ListRecordsDocument,
  SubmitFileDocument,
  WatchJobDocument,
  type ListRecordsQueryVariables,
} from "./gql/graphql.js";

const url = process.env["SLUICE_URL"] ?? "http://localhost:8000/graphql";
const apiKey = process.env["SLUICE_API_KEY"]!;
const [schemaId, path] = process.argv.slice(2) as [string, string];
const show = (line: object) => console.log(JSON.stringify(line));

const http = new UploadHttpLink({ uri: url, headers: { "X-API-Key": apiKey } });
const webSocket = new GraphQLWsLink(
  createClient({ url: url.replace("http", "ws"), connectionParams: { apiKey }, webSocketImpl: WebSocket }),
);
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    webSocket,
    http,
  ),
});

async function submit(): Promise<string> {
  const file = new File([await openAsBlob(path)], basename(path)); // in a browser: the File of an <input>
  const { data } = await client.mutate({
    mutation: SubmitFileDocument,
    variables: { input: { schemaId, file } },
  });
  const { job, userErrors } = data!.submitFile;
  if (!job) throw new Error(userErrors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return job.id;
}

// Stop a job: nothing more of it is loaded.
const mistake = await submit();
const { data } = await client.mutate({
  mutation: CancelJobDocument,
  variables: { input: { jobId: mistake } },
});
show({ cancelled: data!.cancelJob.job });

// Submit a file, and follow it to its end.
const jobId = await submit();
await client
  .subscribe({ query: WatchJobDocument, variables: { jobId } })
  .forEach(({ data }) => show({ progress: data!.jobProgress }));

// Read what came of it, page by page.
const page: ListRecordsQueryVariables = { id: jobId };
do {
  const { data } = await client.query({ query: ListRecordsDocument, variables: { ...page } });
  const { nodes, pageInfo } = data!.job!.records;
  for (const record of nodes) show({ record });
  page.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (page.after);
do {
  const { data } = await client.query({ query: ListErrorsDocument, variables: { ...page } });
  const { nodes, pageInfo } = data!.job!.errors;
  for (const error of nodes) show({ error });
  page.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (page.after);
