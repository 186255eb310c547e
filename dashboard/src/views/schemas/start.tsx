import { useState } from "preact/hooks";

import { size } from "../../locale";
import { SAMPLE_BYTES } from "../../samples/cut";
import { proposalFor, readSample, type Proposal, type Sample } from "../../samples/sample";
import { DropZone } from "../../parts/drop-zone";
import { Notice } from "../../parts/notice";

interface Props {
  onSample: (sample: Sample, proposal: Proposal) => void;
  onByHand: () => void;
}

/** How to begin: with a file of one's own, which fills in most, or with nothing. */
export function Start({ onSample, onByHand }: Props) {
  const [problem, setProblem] = useState<string | null>(null);
  const take = async (file: File) => {
    try {
      const sample = await readSample(file);
      onSample(sample, proposalFor(sample));
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div class="start stack">
      <section class="panel" aria-labelledby="sample-title">
        <h2 id="sample-title">From a sample of your file</h2>
        <p>The fields are filled in from it, for you to check. Each change that you make is tried with its records at once.</p>
        {problem && <Notice kind="bad">{problem}</Notice>}
        <DropZone label="Choose a file" onFiles={([first]) => first && void take(first)}>
          <p class="hint">
            CSV, TSV, JSON, NDJSON or XML of any size: only its first {size(SAMPLE_BYTES)} are read, and nothing is loaded.
          </p>
        </DropZone>
      </section>
      <section class="panel row apart" aria-labelledby="hand-title">
        <div>
          <h2 id="hand-title">By hand</h2>
          <p>You have no file at hand, or know what it looks like.</p>
        </div>
        <button type="button" onClick={onByHand}>
          Begin with an empty form
        </button>
      </section>
    </div>
  );
}
