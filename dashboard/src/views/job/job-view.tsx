import { useQuery } from "@urql/preact";

import { useKept } from "../../api/kept";
import { inWords } from "../../api/problems";
import { useRefresh } from "../../api/refresh";
import { JobDetailsDocument, type JobDetailFragment } from "../../gql/operations";
import { Notice } from "../../parts/notice";
import { isFinal } from "../../words";
import { Nowhere } from "../nowhere";
import { JobPanels } from "./job-panels";

/** A job or a discard that runs is asked for so often: what it has found so far grows before one's eyes. */
const REFRESH_MS = 2_500;

/** A job, by its id: how far it is, what was wrong, and what can be done about it. */
export function JobView({ id }: { id: string }) {
  const [{ data, error }, ask] = useQuery({ query: JobDetailsDocument, variables: { id } });
  const heard = useKept(data);
  const job = heard?.job;
  const askAnew = () => ask({ requestPolicy: "network-only" });
  useRefresh(askAnew, job && isMoving(job) ? REFRESH_MS : 0);

  if (heard && !job) {
    return <Nowhere />;
  }
  return (
    <main id="main" tabIndex={-1} class="stack job" aria-busy={!job}>
      {job ? (
        <JobPanels job={job} onChange={askAnew} />
      ) : error ? (
        <>
          <h1>File</h1>
          <Notice kind="bad">
            <p>{inWords(error)}</p>
            <button type="button" onClick={askAnew}>
              Try again
            </button>
          </Notice>
        </>
      ) : (
        <h1>Loading…</h1>
      )}
    </main>
  );
}

function isMoving({ status, discard }: JobDetailFragment): boolean {
  return !isFinal(status) || (discard != null && discard.status !== "COMPLETED");
}
