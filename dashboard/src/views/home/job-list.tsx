import { useQuery } from "@urql/preact";
import { useState } from "preact/hooks";

import { TRIAL_NAME, type SchemaChoice } from "../../api/all-schemas";
import { useKept } from "../../api/kept";
import { inWords } from "../../api/problems";
import { useAskAgain, useRefresh } from "../../api/refresh";
import { JobsDocument, type JobStatus } from "../../gql/operations";
import { counted } from "../../locale";
import { Notice } from "../../parts/notice";
import { Pager, usePages } from "../../parts/pager";
import { uploads } from "../../uploads";
import { isFinal } from "../../words";
import { JobFilters, NO_FILTER, type Filter } from "./job-filters";
import { JobLine } from "./job-line";

const PAGE = 20;
/** Others send files, too: with a program, or in another window. */
const REFRESH_MS = 5_000;
const IDLE_MS = 10_000;

/** The files that were sent, newest first; those that run move. */
export function JobList({ schemas }: { schemas: SchemaChoice[] | null }) {
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const pages = usePages(JSON.stringify(filter));
  const variables = {
    first: PAGE,
    after: pages.after,
    filter: {
      status: (filter.status || null) as JobStatus | null,
      recordSchemaId: filter.schemaId || null,
      dryRun: filter.dryRun,
    },
  };
  const [{ data, error }, ask] = useQuery({ query: JobsDocument, variables });
  const list = useKept(data?.jobs);
  const jobs = list?.nodes.filter(({ recordSchema }) => recordSchema.name !== TRIAL_NAME);
  const trials = (list?.nodes.length ?? 0) - (jobs?.length ?? 0);
  const askAnew = () => ask({ requestPolicy: "network-only" });
  useRefresh(askAnew, jobs?.some(({ status }) => !isFinal(status)) ? REFRESH_MS : IDLE_MS);
  useAskAgain(askAnew, uploads.value.map(({ jobId }) => jobId ?? "").join(" "));

  return (
    <section class="listing" aria-labelledby="jobs-title">
      <h2 id="jobs-title">{filter.dryRun ? "Dry runs" : "Files"}</h2>
      <JobFilters schemas={schemas} filter={filter} onChange={setFilter} />
      {error && <Notice kind="bad">{inWords(error)}</Notice>}
      {jobs?.length === 0 && trials === 0 ? (
        <Empty filter={filter} canSend={schemas?.length !== 0} />
      ) : (
        <div class="table-frame" aria-busy={!jobs}>
          <table class="jobs">
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  Accepted
                </th>
                <th scope="col" class="number">
                  Rejected
                </th>
                <th scope="col">Schema</th>
                <th scope="col">Sent</th>
              </tr>
            </thead>
            <tbody>
              {jobs?.map((job) => (
                <JobLine job={job} key={job.id} onEnd={askAnew} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {trials > 0 && (
        <p class="hint">
          {counted(trials, "trial")} of schemas that were being made {trials === 1 ? "is" : "are"} not listed on this page.
        </p>
      )}
      <Pager pages={pages} info={list?.pageInfo} label="files" />
    </section>
  );
}

function Empty({ filter, canSend }: { filter: Filter; canSend: boolean }) {
  const filtered = filter.status !== "" || filter.schemaId !== "";
  return (
    <p class="empty">
      {filtered
        ? "Nothing fits these filters. Choose others above to see more."
        : filter.dryRun
          ? "No dry run yet. Tick “Dry run” above before you send a file: it is checked, and nothing of it is loaded."
          : canSend
            ? "Nothing was sent yet. Drop your first file above."
            : "Nothing was sent yet. Make your first schema above; then drop a file there."}
    </p>
  );
}
