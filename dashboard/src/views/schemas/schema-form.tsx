import { useEffect, useMemo, useState } from "preact/hooks";

import { TRIAL_NAME } from "../../api/all-schemas";
import { inWords } from "../../api/problems";
import { CreateSchemaDocument } from "../../gql/operations";
import { proposalFor, readSample, type Sample } from "../../samples/sample";
import { announce } from "../../parts/announcer";
import { Notice } from "../../parts/notice";
import { go, route } from "../../routes";
import { session } from "../../session";
import { AsCode } from "./as-code";
import { TextControl } from "./controls";
import { fromProposal, type Draft } from "./draft";
import { Disclosure } from "./disclosure";
import { FieldList } from "./field-list";
import { troubleOf } from "./field-trouble";
import { FileOptions } from "./file-options";
import { useFocus } from "./focus";
import { useGuard } from "./guard";
import { justSaved } from "./just-saved";
import { firstControl, NONE, placed, unaskable, type Problems } from "./problems";
import { toInput } from "./to-input";
import { TrialPanel } from "./trial-panel";
import { useDraft } from "./use-draft";
import { useTrial } from "./use-trial";

const OF_THE_FILE = /^csv-|^schema-(?!name)/;

interface Props {
  initial: Draft;
  /** Whether there is something to lose from the start: fields that a sample has filled in. */
  isProposed: boolean;
  /** With which it is tried, if there is one already. */
  firstSample: Sample | null;
}

/** A schema, field by field, tried while it is made. */
export function SchemaForm({ initial, isProposed, firstSample }: Props) {
  const who = session.value!;
  const { draft, problems, setProblems, dispatch } = useDraft(initial);
  const [sample, setSample] = useState(firstSample);
  const [sampleProblem, setSampleProblem] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const trial = useTrial(sample, draft, who);
  const focus = useFocus("schema-name");
  const { release } = useGuard(isProposed || draft !== initial);
  const input = useMemo(() => toInput(draft), [draft]);
  const trouble = trial.outcome?.kind === "decided" ? troubleOf(trial.outcome.job) : [];

  useEffect(() => {
    if (trial.outcome && !trial.busy) {
      const found = trial.outcome.kind === "refused" ? placed(draft, trial.outcome.errors) : NONE;
      setProblems((now) => withName(found, now));
    }
  }, [trial.outcome, trial.busy]);

  const take = async (file: File) => {
    try {
      setSample(await readSample(file));
      setSampleProblem(null);
    } catch (error) {
      setSampleProblem((error as Error).message);
    }
  };
  const show = (found: Problems) => {
    setProblems(found);
    const first = firstControl(draft, found);
    focus(first ?? "form-problem");
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setFailure(null);
    const local = unaskable(draft);
    const name = draft.name.trim() === TRIAL_NAME ? "This name is taken by the page itself. Choose another one." : null;
    if (local.size > 0 || name) {
      show(name ? new Map([...local, ["schema-name", name]]) : local);
      return;
    }
    setSaving(true);
    const { data, error } = await who.client.mutation(CreateSchemaDocument, { input }).toPromise();
    setSaving(false);
    const saved = data?.createRecordSchema.recordSchema;
    if (saved) {
      release();
      justSaved.value = saved.id;
      announce(`Saved as version ${saved.version}.`);
      if (route.value.view === "new-schema") {
        go({ view: "schema", id: saved.id });
      }
    } else if (data) {
      show(placed(draft, data.createRecordSchema.userErrors));
    } else {
      setFailure(error ? inWords(error) : "The server gave no answer. Try again.");
    }
  };
  const isBlank =
    draft.fields.length === 0 || (draft.fields.length === 1 && draft.fields[0]!.name === "" && draft.fields[0]!.source === "");
  const proposeFrom = (from: Sample) => {
    const proposed = fromProposal(proposalFor(from));
    dispatch({ do: "load", draft: { ...proposed, name: draft.name } });
    announce(`${proposed.fields.length} fields are filled in.`);
  };
  const whole = failure ?? problems.get("");

  return (
    <form onSubmit={save} noValidate class="beside schema-form">
      <div class="stack">
        {whole && (
          <div id="form-problem" tabIndex={-1}>
            <Notice kind="bad" title={failure ? "It is not saved." : "The schema is not right yet."}>
              {whole}
            </Notice>
          </div>
        )}
        <section class="panel">
          <TextControl
            id="schema-name"
            label="Name of the schema"
            hint="Such as Orders. A name that you have already gets its next version."
            problem={problems.get("schema-name")}
            value={draft.name}
            onInput={(name) => dispatch({ do: "change", changes: { name } })}
          />
        </section>
        <FieldList draft={draft} problems={problems} trouble={trouble} dispatch={dispatch} focus={focus} />
        <Disclosure panel summary={<h2>How the file is written</h2>} hasProblem={[...problems.keys()].some((id) => OF_THE_FILE.test(id))}>
          <FileOptions draft={draft} problems={problems} dispatch={dispatch} />
        </Disclosure>
        <Disclosure panel summary={<h2>GraphQL and JSON</h2>} hasProblem={false}>
          <AsCode input={input} />
        </Disclosure>
      </div>
      <TrialPanel
        sample={sample}
        problem={sampleProblem}
        trial={trial}
        onFile={(file) => void take(file)}
        onPropose={sample && isBlank && sample !== firstSample ? () => proposeFrom(sample) : null}
      />
      <div class="row save">
        <button type="submit" class="primary" aria-busy={saving} disabled={saving}>
          {saving ? "Saving…" : "Save the schema"}
        </button>
        <span class="hint">It never changes afterwards; what you change later is its next version.</span>
      </div>
    </form>
  );
}

/** A trial has a name of its own, so it says nothing of this one. */
function withName(found: Problems, before: Problems): Problems {
  const name = before.get("schema-name");
  return name ? new Map([...found, ["schema-name", name]]) : found;
}
