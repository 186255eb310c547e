import { useQuery } from "@urql/preact";
import { useEffect, useRef } from "preact/hooks";

import { useKept } from "../../api/kept";
import { useRefresh } from "../../api/refresh";
import { RetriesDocument, type JobDetailFragment } from "../../gql/operations";
import { announce } from "../../parts/announcer";
import { usePages } from "../../parts/pager";
import { isFinal } from "../../words";
import { Corrected, SEND_BACK } from "./corrected";
import { Downloads } from "./downloads";
import { OtherVersion } from "./other-version";
import { outcomeOf } from "./outcome";
import { RetryList } from "./retry-list";

/** The id of the panel's heading. */
export const MEND_TITLE = "mend-title";

const PAGE = 20;
const REFRESH_MS = 2_500;

/** From the rejected records of a job that has ended to none that is outstanding. */
export function MendPanel({ job, onChange }: { job: JobDetailFragment; onChange: () => void }) {
  const pages = usePages(job.id);
  const [{ data }, ask] = useQuery({
    query: RetriesDocument,
    variables: { id: job.id, first: PAGE, after: pages.after },
    pause: job.dryRun,
  });
  const retries = useKept(data?.job?.retries);
  const changed = () => {
    ask({ requestPolicy: "network-only" });
    onChange();
  };
  const running = retries?.nodes.some(({ status }) => !isFinal(status)) ?? false;
  useRefresh(changed, running ? REFRESH_MS : 0);
  const { good, message } = outcomeOf(job);
  useSpokenOutcome(message, running);

  if (job.dryRun) {
    return job.progress.recordsRejected === "0" ? null : <OfDryRun job={job} />;
  }
  const outstanding = job.outstanding !== "0";
  return (
    <section class="panel mend" aria-labelledby={MEND_TITLE}>
      <h2 id={MEND_TITLE} tabIndex={-1}>
        {good ? "Nothing to mend" : "Mend"}
      </h2>
      <p class={`notice ${good ? "good" : "note"}`}>
        <strong>{message}</strong>
      </p>
      {outstanding && (
        <ol class="steps">
          <li>
            <h3>Download what was rejected</h3>
            <Downloads job={job} />
          </li>
          <li>
            <h3>Correct it</h3>
            <p>In a spreadsheet or a text editor: the report says what was expected of each value. Keep the file's format.</p>
          </li>
          <li>
            <h3 id={SEND_BACK} tabIndex={-1}>
              Send it back
            </h3>
            <Corrected job={job} onSent={changed} />
            <OtherVersion job={job} onSent={changed} />
          </li>
        </ol>
      )}
      {!outstanding && job.progress.recordsRejected !== "0" && <Downloads job={job} />}
      <RetryList retries={retries} pages={pages} onEnd={changed} />
    </section>
  );
}

/** What a retry has changed is heard once, at its end: on the way there it changes all the time. */
function useSpokenOutcome(message: string, running: boolean): void {
  const before = useRef(message);
  useEffect(() => {
    if (!running && before.current !== message) {
      before.current = message;
      announce(message);
    }
  }, [running, message]);
}

function OfDryRun({ job }: { job: JobDetailFragment }) {
  return (
    <section class="panel mend" aria-labelledby={MEND_TITLE}>
      <h2 id={MEND_TITLE} tabIndex={-1}>
        Mend
      </h2>
      <p>
        Download what would be rejected. You can correct it in the whole file and send that again; or load the file as it is, and send the
        corrected records on the page of the job that loads it.
      </p>
      <Downloads job={job} />
    </section>
  );
}
