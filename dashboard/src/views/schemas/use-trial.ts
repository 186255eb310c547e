import { useEffect, useRef, useState } from "preact/hooks";

import { size } from "../../locale";
import { SAMPLE_BYTES } from "../../samples/cut";
import { sampleBytes, type Sample } from "../../samples/sample";
import type { Session } from "../../session";
import { TRIAL_NAME } from "../../api/all-schemas";
import type { Draft } from "./draft";
import { unaskable } from "./problems";
import { layoutOf, toInput } from "./to-input";
import { tryOut, type Outcome } from "./try-out";

const PAUSE_MS = 1_000;
const TOO_LONG = `The first record alone is longer than ${size(SAMPLE_BYTES)}, which is all that is read of a sample. Send the file as a dry run instead.`;

/** How a draft does with a sample. */
export interface Trial {
  /** Whether the newest draft is still to be decided. */
  busy: boolean;
  /** The newest outcome; it may be of the draft before. */
  outcome: Outcome | null;
  /** Tries the same once more, where something was in the way. */
  again: () => void;
}

/** Tries the draft with the sample whenever the person pauses after a change: one trial at a time, and none twice. */
export function useTrial(sample: Sample | null, draft: Draft, who: Session): Trial {
  const [trial, setTrial] = useState<Omit<Trial, "again">>({ busy: false, outcome: null });
  const [times, setTimes] = useState(0);
  const known = useRef<{ sample: Sample | null; outcomes: Map<string, Outcome> }>({ sample: null, outcomes: new Map() });
  const last = useRef<Promise<unknown>>(Promise.resolve());
  const definition = sample && isReady(draft) ? JSON.stringify(toInput({ ...draft, name: TRIAL_NAME })) : null;

  useEffect(() => {
    if (known.current.sample !== sample) {
      known.current = { sample, outcomes: new Map() };
    }
    const { outcomes } = known.current;
    if (!sample || definition === null) {
      setTrial(({ outcome }) => ({ busy: false, outcome: sample ? outcome : null }));
      return;
    }
    const before = outcomes.get(definition);
    if (before) {
      setTrial({ busy: false, outcome: before });
      return;
    }
    setTrial(({ outcome }) => ({ busy: true, outcome: outcomes.size > 0 ? outcome : null }));
    const abort = new AbortController();
    const begin = () => (last.current = last.current.then(() => decide(abort.signal)).catch(() => undefined)); // superseded
    const timer = setTimeout(begin, outcomes.size > 0 ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };

    async function decide(signal: AbortSignal) {
      signal.throwIfAborted();
      const bytes = sampleBytes(sample!, layoutOf(draft));
      const file = bytes && { bytes, filename: sample!.filename, format: sample!.format };
      const outcome: Outcome = file ? await tryOut(JSON.parse(definition!), file, who, signal) : { kind: "problem", message: TOO_LONG };
      if (outcome.kind !== "problem") {
        outcomes.set(definition!, outcome);
      }
      setTrial({ busy: false, outcome });
    }
  }, [sample, definition, who, times]);
  return { ...trial, again: () => setTimes((before) => before + 1) };
}

/** Whether all fields are named and all numbers are some: before that a person is not done with a change. */
function isReady(draft: Draft): boolean {
  return draft.fields.length > 0 && draft.fields.every(({ name }) => name.trim() !== "") && unaskable(draft).size === 0;
}
