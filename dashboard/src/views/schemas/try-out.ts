import type { Client, CombinedError } from "@urql/core";

import { TRIAL_NAME } from "../../api/all-schemas";
import { inWords } from "../../api/problems";
import { randomKey } from "../../api/random-key";
import { send, SendError } from "../../api/send";
import {
  CreateSchemaDocument,
  SubmitFileDocument,
  TrialDocument,
  WatchJobDocument,
  type CreateRecordSchemaInput,
  type FileFormat,
  type UserErrorsFragment,
} from "../../gql/operations";
import { isFinal } from "../../words";
import type { TrialJob } from "./field-trouble";

/** What a trial came to. `refused`: the schema itself is not right yet. */
export type Outcome =
  | { kind: "decided"; job: TrialJob }
  | { kind: "refused"; errors: UserErrorsFragment[] }
  | { kind: "problem"; message: string };

/** The file to try with. */
export interface TrialFile {
  bytes: Uint8Array<ArrayBuffer>;
  filename: string;
  format: FileFormat;
}

const ERRORS = 50;
/** How long to wait before it is tried again when the server has no time for us. */
const WAITS_MS = [3_000, 10_000, 30_000];

/** It may go better later. */
class Transient extends Error {}

/** Has the server decide the sample's records under this definition, loading none. Throws the signal's AbortError. */
export async function tryOut(
  input: CreateRecordSchemaInput,
  file: TrialFile,
  { client, key }: { client: Client; key: string },
  signal: AbortSignal,
): Promise<Outcome> {
  const idempotencyKey = randomKey();
  for (let times = 0; ; times += 1) {
    try {
      return await tryOnce(input, file, client, key, idempotencyKey, signal);
    } catch (error) {
      signal.throwIfAborted();
      const wait = WAITS_MS[times];
      if (!(error instanceof Transient) || wait === undefined) {
        return { kind: "problem", message: error instanceof Error ? error.message : String(error) };
      }
      await pause(wait, signal);
    }
  }
}

async function tryOnce(
  input: CreateRecordSchemaInput,
  { bytes, filename, format }: TrialFile,
  client: Client,
  key: string,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const saved = await client.mutation(CreateSchemaDocument, { input: { ...input, name: TRIAL_NAME } }).toPromise();
  signal.throwIfAborted();
  if (!saved.data) {
    throw failure(saved.error);
  }
  const { recordSchema, userErrors } = saved.data.createRecordSchema;
  if (!recordSchema) {
    return { kind: "refused", errors: userErrors };
  }
  const variables = { input: { schemaId: recordSchema.id, format, dryRun: true, idempotencyKey, file: null } };
  const { submitFile } = await send(SubmitFileDocument, variables, {
    key,
    path: "input.file",
    file: new Blob([bytes]),
    filename,
    signal,
  }).catch((error: unknown) => {
    throw error instanceof SendError && !error.refused ? new Transient(error.message) : error;
  });
  if (!submitFile.job) {
    return { kind: "problem", message: submitFile.userErrors.map(({ message }) => message).join(" ") };
  }
  await ended(client, submitFile.job.id, signal);
  const { data, error } = await client
    .query(TrialDocument, { id: submitFile.job.id, first: ERRORS }, { requestPolicy: "network-only" })
    .toPromise();
  signal.throwIfAborted();
  if (!data?.job) {
    throw failure(error);
  }
  return { kind: "decided", job: data.job };
}

/** Until the job has ended: its subscription says so, at once when it has ended before. */
function ended(client: Client, jobId: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const { unsubscribe } = client.subscription(WatchJobDocument, { jobId }).subscribe(({ data, error }) => {
      if (error) {
        settle(() => reject(failure(error)));
      } else if (data && isFinal(data.jobProgress.status)) {
        settle(resolve);
      }
    });
    const onAbort = () => settle(() => reject(signal.reason as Error));
    signal.addEventListener("abort", onAbort);

    function settle(by: () => void) {
      signal.removeEventListener("abort", onAbort);
      queueMicrotask(() => unsubscribe()); // it may answer before it has returned
      by();
    }
  });
}

function failure(error: CombinedError | undefined): Error {
  if (!error) {
    return new Error("The server gave no answer to it. Change something to try it again.");
  }
  const status = (error.response as Response | undefined)?.status ?? 0;
  return error.networkError || status === 429 || status >= 500 ? new Transient(inWords(error)) : new Error(inWords(error));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
