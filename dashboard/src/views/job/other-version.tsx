import { useClient, useQuery } from "@urql/preact";
import { useRef, useState } from "preact/hooks";

import { asked, inWords } from "../../api/problems";
import { randomKey } from "../../api/random-key";
import { RetryJobDocument, NewestVersionsDocument, type JobDetailFragment } from "../../gql/operations";
import { moment } from "../../locale";
import { announce } from "../../parts/announcer";
import { Notice } from "../../parts/notice";
import { to } from "../../routes";

/** Tries the records again as they were sent: it may be the schema that was wrong. */
export function OtherVersion({ job, onSent }: { job: JobDetailFragment; onSent: () => void }) {
  const client = useClient();
  const { id: ownId, name, version } = job.recordSchema;
  const [{ data }] = useQuery({ query: NewestVersionsDocument, variables: { name } });
  const newer = data?.recordSchemas.nodes.filter((other) => other.version > version) ?? [];
  const [chosen, setChosen] = useState("");
  const schemaId = chosen || newer[0]?.id;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const key = useRef(randomKey());

  const retry = async () => {
    setBusy(true);
    setProblem(null);
    const input = { jobId: job.id, schemaId, idempotencyKey: `${key.current} ${schemaId}` };
    const { data, error } = await client.mutation(RetryJobDocument, { input }).toPromise();
    setBusy(false);
    if (data?.retryJob.job) {
      key.current = randomKey();
      announce("The records are tried again.");
      onSent();
    } else {
      setProblem(error ? inWords(error) : asked(data?.retryJob.userErrors));
    }
  };

  return (
    <div class="other-version">
      <h4>Was the schema wrong, and the file right?</h4>
      {newer.length === 0 ? (
        <p>
          <a href={to({ view: "new-schema", from: ownId })}>Make a better version of the schema</a>, and come back: the same records can be
          tried again under it, without a file.
        </p>
      ) : (
        <div class="row">
          <label for="other-version">Try the same records again under</label>
          <select id="other-version" value={schemaId} onChange={(event) => setChosen(event.currentTarget.value)}>
            {newer.map((other) => (
              <option value={other.id} key={other.id}>
                version {other.version} ({moment(other.createdAt)})
              </option>
            ))}
          </select>
          <button type="button" aria-busy={busy} disabled={busy} onClick={retry}>
            Try again
          </button>
        </div>
      )}
      {problem && <Notice kind="bad">{problem}</Notice>}
    </div>
  );
}
