import type { JobDetailFragment, JobLinkFragment } from "../../gql/operations";
import { Plain } from "../../parts/plain";
import { to } from "../../routes";
import { ancestors } from "./ancestors";

/** As many as the query asks for: behind that many there may be others. */
const MOST_OLDER = 3;

/** Of which jobs this one is a retry, or which dry run it loads. */
export function LineageNote({ job }: { job: JobDetailFragment }) {
  const [parent, ...older] = ancestors(job);
  const oldest = older.at(-1);
  return (
    <>
      {parent && (
        <p>
          A retry of what <JobLink job={parent} /> had rejected
          {oldest && (
            <>
              ; {older.length < MOST_OLDER ? "the first file was" : "further back is"} <JobLink job={oldest} />
            </>
          )}
          .
        </p>
      )}
      {job.dryRunJob && (
        <p>
          It loads the file of a dry run: <JobLink job={job.dryRunJob} />.
        </p>
      )}
    </>
  );
}

/** Leads to another job, by its file's name. */
export function JobLink({ job }: { job: JobLinkFragment }) {
  return (
    <a href={to({ view: "job", id: job.id })}>
      <Plain text={job.filename} />
    </a>
  );
}
