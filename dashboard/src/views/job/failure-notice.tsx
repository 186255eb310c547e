import type { JobDetailFragment } from "../../gql/operations";
import { count } from "../../locale";
import { Notice } from "../../parts/notice";
import { Plain } from "../../parts/plain";
import { codeInWords } from "../../words";
import { ordinal } from "./ordinal";

/** Why a job failed, and where in its file. */
export function FailureNotice({ failure }: { failure: NonNullable<JobDetailFragment["failure"]> }) {
  const { code, message, line, recordIndex } = failure;
  const places = [line != null && `line ${count(line)}`, recordIndex != null && `record ${count(ordinal(recordIndex))}`].filter(Boolean);
  return (
    <Notice kind="bad" title={`${codeInWords(code)}${places.length > 0 ? `: ${places.join(", ")}` : ""}`}>
      <p class="said">
        <Plain text={message} />
      </p>
    </Notice>
  );
}
