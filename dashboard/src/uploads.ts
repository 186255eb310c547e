import { signal } from "@preact/signals";
import type { Client } from "@urql/core";

import { randomKey } from "./api/random-key";
import { send, SendError } from "./api/send";
import { asked, inWords } from "./api/problems";
import { CancelJobDocument, RetryJobDocument, SubmitFileDocument, type RetryJobInput, type SubmitFileInput } from "./gql/operations";
import { announce } from "./parts/announcer";
import { visible } from "./parts/plain";

/** What is chosen for a file before it is sent; or whose rejected records are corrected in it. */
export type Choices = Pick<SubmitFileInput, "schemaId" | "dryRun" | "onFailure" | "format"> | Pick<RetryJobInput, "jobId">;

/**
 * A file on its way, whatever view is open. `sent`: it is a job now. `stopping`: the person has said so when all of it was sent
 * already. `stopped`: they have, and nothing of it goes on.
 */
export interface Upload {
  number: number;
  file: File;
  choices: Choices;
  idempotencyKey: string;
  state: "sending" | "stopping" | "sent" | "failed" | "stopped";
  sentBytes: number;
  totalBytes: number;
  startedAt: number;
  jobId: string | null;
  problem: string | null;
  /** Whether the same may work when it is tried again. */
  again: boolean;
}

/** The newest first. */
export const uploads = signal<Upload[]>([]);

/** Who sends. */
type Sender = { key: string; client: Client };

const aborts = new Map<number, AbortController>();
/** Uploads that were stopped when all of them was sent: they are jobs by now, or will be. */
const unwanted = new Set<number>();
let last = 0;

const LOST_WHILE_STOPPED =
  "The connection broke off while it was being stopped, and all of it was sent. If it stands in the list of files, cancel it there.";

/** Sends a file. Gives the job's id, or null when there is none: the upload then says why. */
export function upload(file: File, choices: Choices, sender: Sender): Promise<string | null> {
  last += 1;
  const begun: Upload = {
    number: last,
    file,
    choices,
    idempotencyKey: randomKey(),
    state: "sending",
    sentBytes: 0,
    totalBytes: file.size,
    startedAt: Date.now(),
    jobId: null,
    problem: null,
    again: false,
  };
  uploads.value = [begun, ...uploads.value];
  return sendIt(begun, sender);
}

/** Sends it again, as the same submission: should the first have arrived after all, it stays one job. */
export function uploadAgain(number: number, sender: Sender): Promise<string | null> {
  change(number, { state: "sending", sentBytes: 0, startedAt: Date.now(), problem: null });
  const old = uploads.value.find((one) => one.number === number);
  return old ? sendIt(old, sender) : Promise.resolve(null);
}

/** Stops it; what the server has whole already is cancelled as the job that it becomes. */
export function stop({ number, sentBytes, totalBytes }: Upload): void {
  if (sentBytes < totalBytes) {
    aborts.get(number)?.abort();
  } else {
    unwanted.add(number);
    change(number, { state: "stopping" });
  }
}

/** Takes it off the list. */
export function forget(number: number): void {
  uploads.value = uploads.value.filter((other) => other.number !== number);
}

/** Takes off the list what became this job: somebody looks at the job itself now. */
export function forgetArrived(jobId: string): void {
  uploads.value = uploads.value.filter((other) => other.jobId !== jobId);
}

/** Whether leaving would stop a file on its way. */
export function isSending(): boolean {
  return aborts.size > 0;
}

/** Stops all of them, and forgets them. */
export function abandonUploads(): void {
  aborts.forEach((abort) => abort.abort());
  uploads.value = [];
}

async function sendIt({ number, file, choices, idempotencyKey }: Upload, { key, client }: Sender): Promise<string | null> {
  const abort = new AbortController();
  aborts.set(number, abort);
  try {
    const options = {
      key,
      path: "input.file",
      file,
      filename: file.name,
      signal: abort.signal,
      onProgress: (sentBytes: number, totalBytes: number) => change(number, { sentBytes, totalBytes }),
    };
    const answer =
      "jobId" in choices
        ? (await send(RetryJobDocument, { input: { ...choices, idempotencyKey, file: null } }, options)).retryJob
        : (await send(SubmitFileDocument, { input: { ...choices, idempotencyKey, file: null } }, options)).submitFile;
    const problem = asked(answer.userErrors);
    const jobId = answer.job?.id ?? null;
    if (!jobId) {
      change(number, { state: "failed", problem, again: false });
    } else if (unwanted.has(number)) {
      change(number, await cancelled(jobId, client));
      return null;
    } else {
      change(number, { state: "sent", jobId });
      announce(`${visible(file.name)} has arrived.`);
    }
    return jobId;
  } catch (error) {
    change(number, unsent(error, unwanted.has(number)));
    return null;
  } finally {
    aborts.delete(number);
    unwanted.delete(number);
  }
}

/** Why it is no job, as far as anybody knows here. */
function unsent(error: unknown, isUnwanted: boolean): Partial<Upload> {
  if (!(error instanceof SendError)) {
    return { state: "stopped" };
  }
  if (isUnwanted && !error.refused) {
    return { state: "failed", problem: LOST_WHILE_STOPPED, again: false };
  }
  return { state: "failed", problem: error.message, again: !error.refused };
}

/** Cancels what has become a job against the person's will. It is still one where that does not work, and they have to know. */
async function cancelled(jobId: string, client: Client): Promise<Partial<Upload>> {
  const { data, error } = await client.mutation(CancelJobDocument, { input: { jobId } }).toPromise();
  const problem = error ? inWords(error) : asked(data?.cancelJob.userErrors);
  return problem ? { state: "sent", jobId, problem: `It arrived before it could be stopped. ${problem}` } : { state: "stopped", jobId };
}

function change(number: number, changes: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.number === number ? { ...one, ...changes } : one));
}

window.addEventListener("beforeunload", (event) => {
  if (isSending()) {
    event.preventDefault(); // the browser asks whether to stay
  }
});
