import { useEffect, useRef } from "preact/hooks";

import { count, counted, size } from "../../locale";
import { SAMPLE_BYTES } from "../../samples/cut";
import type { Sample } from "../../samples/sample";
import { announce } from "../../parts/announcer";
import { DropZone } from "../../parts/drop-zone";
import { Notice } from "../../parts/notice";
import { Plain } from "../../parts/plain";
import { codeInWords, FORMATS } from "../../words";
import { OneTrouble, troubleOf, type TrialJob } from "./field-trouble";
import type { Trial } from "./use-trial";

interface Props {
  sample: Sample | null;
  /** Why there is none, or not the one that was chosen. */
  problem: string | null;
  trial: Trial;
  onFile: (file: File) => void;
  /** Takes the fields from the sample; null when that would throw others away. */
  onPropose: (() => void) | null;
}

/** What becomes of the person's own records under this schema. */
export function TrialPanel({ sample, problem, trial, onFile, onPropose }: Props) {
  return (
    <section class="panel trial" aria-labelledby="trial-title">
      <h2 id="trial-title">Tried with your file</h2>
      {sample && (
        <p>
          <Plain text={sample.filename} />{" "}
          <span class="hint">
            {FORMATS[sample.format].name}, {sample.whole ? "all of it" : `its first ${size(SAMPLE_BYTES)}`}. Nothing is loaded.
          </span>
        </p>
      )}
      {problem && <Notice kind="bad">{problem}</Notice>}
      {sample && <Verdict trial={trial} />}
      {onPropose && (
        <p>
          <button type="button" onClick={onPropose}>
            Fill in the fields from this file
          </button>
        </p>
      )}
      <DropZone label={sample ? "Try another file" : "Choose a sample of your file"} onFiles={([first]) => first && onFile(first)}>
        {!sample && <p class="hint">Its first records are tried with each change that you make. Nothing is loaded.</p>}
      </DropZone>
    </section>
  );
}

function Verdict({ trial: { busy, outcome, again } }: { trial: Trial }) {
  const sentence = outcome?.kind === "decided" ? inOneSentence(outcome.job) : null;
  const said = useRef<string | null>(null);
  useEffect(() => {
    if (!busy && sentence && sentence !== said.current) {
      said.current = sentence;
      announce(sentence);
    }
  }, [busy, sentence]);
  return (
    <div class="verdict" aria-busy={busy}>
      {outcome?.kind === "decided" && <Decided job={outcome.job} sentence={sentence!} />}
      {outcome?.kind === "refused" && <p class="wrong">The schema is not right yet: see what is said beside its fields.</p>}
      {outcome?.kind === "problem" && !busy && (
        <Notice kind="bad">
          <p>{outcome.message}</p>
          <button type="button" onClick={again}>
            Try again
          </button>
        </Notice>
      )}
      <p class="hint state">{busy ? "Trying it…" : outcome?.kind === "decided" ? "Up to date." : ""}</p>
    </div>
  );
}

function Decided({ job, sentence }: { job: TrialJob; sentence: string }) {
  const { recordsAccepted, recordsRead } = job.progress;
  const isGood = job.status === "COMPLETED" && recordsAccepted === recordsRead && recordsRead !== "0";
  const trouble = troubleOf(job);
  return (
    <>
      <p class={`score ${isGood ? "good" : "warn"}`}>
        <span aria-hidden="true">{isGood ? "✓ " : "! "}</span>
        {sentence}
      </p>
      {job.failure && (
        <Notice kind="bad" title={`${codeInWords(job.failure.code)}${job.failure.line ? `, line ${count(job.failure.line)}` : ""}`}>
          <Plain text={job.failure.message} />
        </Notice>
      )}
      {trouble.length > 0 && (
        <ul class="bare trouble">
          {trouble.map((one) => (
            <li key={`${one.field} ${one.code}`}>
              {one.field === null ? <span class="hint">Whole record</span> : <Plain text={one.field} />}
              <br />
              <OneTrouble trouble={one} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function inOneSentence({ status, progress: { recordsAccepted, recordsRead } }: TrialJob): string {
  const decided = `${count(recordsAccepted)} of ${counted(recordsRead, "sample record")} would be accepted.`;
  if (status === "COMPLETED") {
    return recordsRead === "0" ? "There is no record in this sample." : decided;
  }
  return recordsRead === "0"
    ? "This file could not be read with this schema."
    : `The sample could not be read to its end. Before, ${decided}`;
}
