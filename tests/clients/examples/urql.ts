import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { filter, onPush, pipe, toPromise } from "wonka";
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

const webSocket = createClient({
  url: url.replace("http", "ws"),
  connectionParams: { apiKey },
  webSocketImpl: WebSocket,
});
const client = new Client({
  url,
  fetchOptions: { headers: { "X-API-Key": apiKey } },
  exchanges: [
    fetchExchange, // sends files as multipart by itself
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({
          unsubscribe: webSocket.subscribe({ query: query!, variables: variables as Record<string, unknown> }, sink),
        }),
      }),
    }),
  ],
});

async function submit(): Promise<string> {
  const file = new File([await openAsBlob(path)], basename(path)); // in a browser: the File of an <input>
  const { data, error } = await client.mutation(SubmitFileDocument, { input: { schemaId, file } });
  if (error) throw error;
  const { job, userErrors } = data!.submitFile;
  if (!job) throw new Error(userErrors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return job.id;
}

// Stop a job: nothing more of it is loaded.
const mistake = await submit();
const { data } = await client.mutation(CancelJobDocument, { input: { jobId: mistake } });
show({ cancelled: data!.cancelJob.job });

// Submit a file, and follow it to its end.
const jobId = await submit();
await pipe(
  client.subscription(WatchJobDocument, { jobId }),
  filter(({ hasNext }) => hasNext), // urql tells the last result once more when the subscription has ended
  onPush(({ data }) => show({ progress: data!.jobProgress })),
  toPromise,
);

// Read what came of it, page by page.
const page: ListRecordsQueryVariables = { id: jobId };
do {
  const { data } = await client.query(ListRecordsDocument, { ...page });
  const { nodes, pageInfo } = data!.job!.records;
  for (const record of nodes) show({ record });
  page.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (page.after);
do {
  const { data } = await client.query(ListErrorsDocument, { ...page });
  const { nodes, pageInfo } = data!.job!.errors;
  for (const error of nodes) show({ error });
  page.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (page.after);
