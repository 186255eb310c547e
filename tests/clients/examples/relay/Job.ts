import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { commitMutation, fetchQuery, graphql, requestSubscription } from "relay-runtime";
import type { JobCancelMutation } from "./__generated__/JobCancelMutation.graphql";
import type { JobErrorsQuery } from "./__generated__/JobErrorsQuery.graphql";
import type { JobRecordsQuery } from "./__generated__/JobRecordsQuery.graphql";
import type { JobSubmitMutation } from "./__generated__/JobSubmitMutation.graphql";
import type { JobWatchSubscription } from "./__generated__/JobWatchSubscription.graphql";
import { environment } from "./environment";

const [schemaId, path] = process.argv.slice(2) as [string, string];
const show = (line: object) => console.log(JSON.stringify(line));

async function submit(): Promise<string> {
  const file = new File([await openAsBlob(path)], basename(path)); // in a browser: the File of an <input>
  const { submitFile } = await new Promise<JobSubmitMutation["response"]>((onCompleted, onError) =>
    commitMutation<JobSubmitMutation>(environment, {
      mutation: graphql`
        mutation JobSubmitMutation($input: SubmitFileInput!) {
          submitFile(input: $input) {
            job { id status }
            userErrors { code message field }
          }
        }
      `,
      variables: { input: { schemaId, file: null } },
      uploadables: { file },
      onCompleted,
      onError,
    }),
  );
  const { job, userErrors } = submitFile;
  if (!job) throw new Error(userErrors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return job.id;
}

function cancel(jobId: string): Promise<JobCancelMutation["response"]> {
  return new Promise((onCompleted, onError) =>
    commitMutation<JobCancelMutation>(environment, {
      mutation: graphql`
        mutation JobCancelMutation($input: CancelJobInput!) {
          cancelJob(input: $input) {
            job { id status }
            userErrors { code message field }
          }
        }
      `,
      variables: { input: { jobId } },
      onCompleted,
      onError,
    }),
  );
}

function watch(jobId: string): Promise<void> {
  return new Promise((onCompleted, onError) =>
    requestSubscription<JobWatchSubscription>(environment, {
      subscription: graphql`
        subscription JobWatchSubscription($jobId: ID!) {
          jobProgress(jobId: $jobId) {
            status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected
          }
        }
      `,
      variables: { jobId },
      onNext: (data) => show({ progress: data!.jobProgress }),
      onCompleted,
      onError,
    }),
  );
}

async function listRecords(id: string, after?: string | null): Promise<string | null | undefined> {
  const data = await fetchQuery<JobRecordsQuery>(
    environment,
    graphql`
      query JobRecordsQuery($id: ID!, $after: String) {
        job(id: $id) {
          records(first: 500, after: $after) {
            nodes { index data }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `,
    { id, after },
  ).toPromise();
  const { nodes, pageInfo } = data!.job!.records;
  for (const record of nodes) show({ record });
  return pageInfo.hasNextPage ? pageInfo.endCursor : null;
}

async function listErrors(id: string, after?: string | null): Promise<string | null | undefined> {
  const data = await fetchQuery<JobErrorsQuery>(
    environment,
    graphql`
      query JobErrorsQuery($id: ID!, $after: String) {
        job(id: $id) {
          errors(first: 50, after: $after) {
            nodes { recordIndex line field code message rawValue }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `,
    { id, after },
  ).toPromise();
  const { nodes, pageInfo } = data!.job!.errors;
  for (const error of nodes) show({ error });
  return pageInfo.hasNextPage ? pageInfo.endCursor : null;
}

async function main(): Promise<void> {
  // Stop a job: nothing more of it is loaded.
  const { cancelJob } = await cancel(await submit());
  show({ cancelled: cancelJob.job });

  // Submit a file, and follow it to its end.
  const jobId = await submit();
  await watch(jobId);

  // Read what came of it, page by page.
  let after = await listRecords(jobId);
  while (after) after = await listRecords(jobId, after);
  after = await listErrors(jobId);
  while (after) after = await listErrors(jobId, after);
}

void main();
