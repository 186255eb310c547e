import { useClient } from "@urql/preact";
import { useState } from "preact/hooks";

import { inWords } from "../../api/problems";
import { ErrorReportDocument, RejectedFileDocument, type ErrorReportFormat, type JobDetailFragment } from "../../gql/operations";
import { announce } from "../../parts/announcer";
import { Notice } from "../../parts/notice";
import { FORMATS } from "../../words";
import { canCarryIndex } from "./outcome";

const GONE = "There is nothing to download any more: retries have loaded these records meanwhile.";

/** The rejected records and the report. Links expire, so each is fetched when it is wanted. */
export function Downloads({ job }: { job: JobDetailFragment }) {
  const client = useClient();
  const canIndex = canCarryIndex(job);
  const [withIndex, setWithIndex] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);

  const rejected = async () => {
    const variables = { id: job.id, withIndex: canIndex && withIndex };
    const { data, error } = await client.query(RejectedFileDocument, variables, { requestPolicy: "network-only" }).toPromise();
    save(data?.job?.rejectedFile, error && inWords(error));
  };
  const report = async (format: ErrorReportFormat) => {
    const { data, error } = await client.query(ErrorReportDocument, { id: job.id, format }, { requestPolicy: "network-only" }).toPromise();
    save(data?.job?.errorReport, error && inWords(error));
  };
  const save = (file: { url: string; filename: string } | null | undefined, wrong: string | undefined) => {
    setProblem(file ? null : (wrong ?? GONE));
    if (file) {
      follow(file.url, file.filename);
      announce("The download begins.");
    }
  };

  return (
    <div class="stack downloads">
      {job.outstanding !== "0" && (
        <div>
          <button type="button" class="primary" onClick={rejected}>
            Download the rejected records ({FORMATS[job.format].extensions[0]})
          </button>
          {canIndex ? (
            <label class="check">
              <input type="checkbox" checked={withIndex} onChange={(event) => setWithIndex(event.currentTarget.checked)} />
              <span>
                With <code>sluice:index</code>, which says which record each is.{" "}
                <span class="hint">
                  Recommended: you can then send them back in any order, and not all of them. Leave its values as they are.
                </span>
              </span>
            </label>
          ) : (
            <p class="hint">Keep all of them, in their order: in this file, a record has no place to say which one it is.</p>
          )}
        </div>
      )}
      <div>
        <div class="row">
          <button type="button" onClick={() => report("CSV")}>
            Error report for a spreadsheet (.csv)
          </button>
          <button type="button" onClick={() => report("NDJSON")}>
            Error report for programs (.ndjson)
          </button>
        </div>
        <p class="hint">Every error with its line and what was expected. In the files to download, records are counted from 0.</p>
      </div>
      {problem && <Notice kind="bad">{problem}</Notice>}
    </div>
  );
}

function follow(url: string, filename: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  document.body.append(link);
  link.click();
  link.remove();
}
