import type { FieldType } from "../../gql/operations";
import { visible } from "../../parts/plain";
import { CheckControl, SelectControl, TextControl } from "./controls";
import type { Action, DraftField } from "./draft";
import { Disclosure } from "./disclosure";
import { countRules, FieldRules } from "./field-rules";
import { FieldTrouble, type Trouble } from "./field-trouble";
import { fieldControl, type Problems } from "./problems";
import { TYPES } from "./rules";

const TYPE_OPTIONS = Object.entries(TYPES).map(([type, { name }]) => [type as FieldType, name] as const);

const IN_RULES = ["default", "nullValues", "trim", "enum", "pattern", "minLength", "maxLength", "min", "max", "format"];

interface Props {
  field: DraftField;
  index: number;
  count: number;
  problems: Problems;
  /** What the sample has found about it. */
  trouble: Trouble[];
  dispatch: (action: Action) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

/** One field of the schema, to change. */
export function FieldEditor({ field, index, count, problems, trouble, dispatch, onMove, onRemove }: Props) {
  const set = (changes: Partial<DraftField>) => dispatch({ do: "change-field", key: field.key, changes });
  const common = (option: string) => ({ id: fieldControl(field.key, option), problem: problems.get(fieldControl(field.key, option)) });
  const title = fieldControl(field.key, "title");
  const rules = countRules(field);
  const called = visible(field.name) || `field ${index + 1}`;
  const summary = (
    <>
      Rules <span class="hint">{rules === 0 ? "none" : rules}</span>
      <span class="heard-only"> of {called}</span>
    </>
  );

  return (
    <section class="panel field" aria-labelledby={title}>
      <div class="row apart">
        <h3 id={title}>
          Field {index + 1}
          {field.name && <bdi class="hint"> {visible(field.name)}</bdi>}
        </h3>
        <div class="row tight">
          <button
            type="button"
            class="quiet"
            id={fieldControl(field.key, "up")}
            disabled={index === 0}
            aria-label={`Move ${called} up`}
            onClick={() => onMove(-1)}
          >
            ↑
          </button>
          <button
            type="button"
            class="quiet"
            id={fieldControl(field.key, "down")}
            disabled={index === count - 1}
            aria-label={`Move ${called} down`}
            onClick={() => onMove(1)}
          >
            ↓
          </button>
          <button type="button" class="quiet" id={fieldControl(field.key, "remove")} aria-label={`Remove ${called}`} onClick={onRemove}>
            Remove
          </button>
        </div>
      </div>
      <div class="field-grid">
        <TextControl {...common("name")} label="Name" code value={field.name} onInput={(name) => set({ name })} />
        <TextControl
          {...common("source")}
          label="Comes from"
          code
          placeholder={field.name}
          value={field.source}
          onInput={(source) => set({ source })}
        />
        <SelectControl {...common("type")} label="Type" options={TYPE_OPTIONS} value={field.type} onChange={(type) => set({ type })} />
        <CheckControl {...common("required")} label="Required" checked={field.required} onChange={(required) => set({ required })} />
      </div>
      <p class="hint">{TYPES[field.type].takes}</p>
      <FieldTrouble trouble={trouble} />
      <Disclosure summary={summary} hasProblem={IN_RULES.some((option) => problems.has(fieldControl(field.key, option)))}>
        <FieldRules field={field} problems={problems} dispatch={dispatch} />
      </Disclosure>
    </section>
  );
}
