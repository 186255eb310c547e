import { useEffect } from "preact/hooks";

import { duration, percent, size } from "../locale";
import { announce } from "../parts/announcer";
import { Notice } from "../parts/notice";
import { Plain, visible } from "../parts/plain";
import { ProgressBar } from "../parts/progress-bar";
import { to } from "../routes";
import { session } from "../session";
import { forget, stop, uploadAgain, uploads, type Upload } from "../uploads";

const STEP = 25;

/** The files on their way, and what became of each; `retryOf`: those alone that correct this job's records, until they have arrived. */
export function UploadList({ retryOf }: { retryOf?: string }) {
  const shown = uploads.value.filter(
    ({ choices, state }) => !retryOf || ("jobId" in choices && choices.jobId === retryOf && state !== "sent"),
  );
  return (
    <div class="stack uploads">
      {shown.map((upload) => (
        <UploadItem upload={upload} key={upload.number} />
      ))}
    </div>
  );
}

function UploadItem({ upload }: { upload: Upload }) {
  const { state, file, sentBytes, totalBytes } = upload;
  const share = totalBytes > 0 ? (100 * sentBytes) / totalBytes : 0;
  const step = Math.floor(share / STEP) * STEP;
  useEffect(() => {
    if (state === "sending" && step > 0) {
      announce(`${percent(step)} of ${visible(file.name)} are sent.`);
    }
  }, [step, state]);

  return (
    <article class="upload" aria-label={`Upload of ${visible(file.name)}`}>
      <div class="row apart">
        <Plain text={file.name} />
        {state === "sending" || state === "stopping" ? (
          <button type="button" disabled={state === "stopping"} onClick={() => stop(upload)}>
            {state === "stopping" ? "Stopping…" : "Stop"}
          </button>
        ) : (
          <button type="button" class="quiet" onClick={() => forget(upload.number)}>
            Put away
          </button>
        )}
      </div>
      {state === "sending" && (
        <>
          <ProgressBar value={share} label={`Sent of ${visible(file.name)}`} />
          <p class="hint">
            {sentBytes < totalBytes
              ? `${size(sentBytes)} of ${size(totalBytes)} sent${left(upload)}`
              : "All is sent; the server is saving it."}
          </p>
        </>
      )}
      <Outcome upload={upload} />
    </article>
  );
}

function Outcome({ upload: { number, state, jobId, problem, again } }: { upload: Upload }) {
  const link = jobId && <a href={to({ view: "job", id: jobId })}>See what becomes of it</a>;
  switch (state) {
    case "sent":
      return (
        <>
          {problem && <Notice kind="bad">{problem}</Notice>}
          <p>It has arrived. {link}</p>
        </>
      );
    case "stopped":
      return <p>{jobId ? <>It had arrived whole, and is cancelled. {link}</> : "Stopped: nothing of it was kept."}</p>;
    case "failed":
      return (
        <Notice kind="bad" title="This file was not taken.">
          <p>{problem}</p>
          {again && (
            <button type="button" onClick={() => session.value && void uploadAgain(number, session.value)}>
              Try again
            </button>
          )}
        </Notice>
      );
    default:
      return null;
  }
}

function left({ startedAt, sentBytes, totalBytes }: Upload): string {
  const seconds = (Date.now() - startedAt) / 1000;
  return seconds > 1 && sentBytes > 0 ? `, about ${duration((seconds * (totalBytes - sentBytes)) / sentBytes)} left` : "";
}
