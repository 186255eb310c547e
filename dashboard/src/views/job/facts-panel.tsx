import type { JobDetailFragment, ProgressFragment } from "../../gql/operations";
import { duration, size } from "../../locale";
import { CopyButton } from "../../parts/copy-button";
import { Moment } from "../../parts/moment";
import { Fact } from "../../parts/fact";
import { Plain } from "../../parts/plain";
import { to } from "../../routes";
import { FORMATS } from "../../words";

/** What else is known of a job: its schema, its times, its file. */
export function FactsPanel({ job, progress }: { job: JobDetailFragment; progress: ProgressFragment }) {
  const { recordSchema, createdAt, startedAt, finishedAt } = job;
  return (
    <section class="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">About this file</h2>
      <dl class="facts">
        <Fact name="Schema">
          <SchemaLink schema={recordSchema} />
        </Fact>
        <Fact name="Format">{FORMATS[job.format].name}</Fact>
        <Fact name="Size">{size(job.sizeBytes)}</Fact>
        <Fact name="Sent">
          <Moment at={createdAt} />
        </Fact>
        <Fact name="Started">{startedAt ? <Moment at={startedAt} /> : "Not yet"}</Fact>
        <Fact name="Finished">{finishedAt ? <Moment at={finishedAt} /> : "Not yet"}</Fact>
        {startedAt && finishedAt && <Fact name="How long it took">{took(startedAt, finishedAt)}</Fact>}
        {!job.dryRun && (
          <Fact name="If it breaks off">
            {job.onFailure === "DISCARD" ? "What it has loaded is deleted again" : "What it has loaded stays"}
          </Fact>
        )}
      </dl>
      <details class="technical">
        <summary>For programs</summary>
        <dl class="facts">
          <Fact name="SHA-256 of the file">
            <code>{job.sha256}</code> <CopyButton text={job.sha256} label="Copy" />
          </Fact>
          <Fact name="Id of the job">
            <code>{job.id}</code> <CopyButton text={job.id} label="Copy" />
          </Fact>
          <Fact name="Bytes read">
            {size(progress.bytesRead)} of {size(progress.bytesTotal)}
          </Fact>
        </dl>
      </details>
    </section>
  );
}

/** Leads to the version of the schema through which a file goes. */
export function SchemaLink({ schema }: { schema: JobDetailFragment["recordSchema"] }) {
  return (
    <a href={to({ view: "schema", id: schema.id })}>
      <Plain text={schema.name} />, version {schema.version}
    </a>
  );
}

/** How long a job was at work. */
export function took(startedAt: string, finishedAt: string): string {
  const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  return seconds < 1 ? "less than a second" : duration(seconds);
}
