import { announce } from "../../parts/announcer";
import { visible } from "../../parts/plain";
import type { Action, Draft } from "./draft";
import { FieldEditor } from "./field-editor";
import type { Trouble } from "./field-trouble";
import { fieldControl, type Problems } from "./problems";

interface Props {
  draft: Draft;
  problems: Problems;
  trouble: Trouble[];
  dispatch: (action: Action) => void;
  /** Puts the focus on the element with this id, once the change is drawn. */
  focus: (id: string) => void;
}

const ADD = "add-field";

/** The fields, in the order of the loaded record. */
export function FieldList({ draft, problems, trouble, dispatch, focus }: Props) {
  const { fields } = draft;
  const add = () => {
    focus(fieldControl(draft.nextKey, "name"));
    dispatch({ do: "add-field" });
  };
  const remove = (index: number) => {
    const { key, name } = fields[index]!;
    const neighbour = fields[index + 1] ?? fields[index - 1];
    focus(neighbour ? fieldControl(neighbour.key, "name") : ADD);
    announce(`${visible(name) || `Field ${index + 1}`} is removed.`);
    dispatch({ do: "remove-field", key });
  };
  const move = (index: number, by: -1 | 1) => {
    const { key, name } = fields[index]!;
    const target = index + by;
    const atEnd = target === 0 || target === fields.length - 1;
    const button = by === -1 ? "up" : "down";
    focus(fieldControl(key, atEnd ? (by === -1 ? "down" : "up") : button));
    announce(`${visible(name) || "The field"} is field ${target + 1} of ${fields.length} now.`);
    dispatch({ do: "move-field", key, by });
  };
  return (
    <section aria-labelledby="fields-title" class="stack">
      <h2 id="fields-title">Fields</h2>
      {fields.map((field, index) => (
        <FieldEditor
          key={field.key}
          field={field}
          index={index}
          count={fields.length}
          problems={problems}
          trouble={trouble.filter((one) => one.field === field.name)}
          dispatch={dispatch}
          onMove={(by) => move(index, by)}
          onRemove={() => remove(index)}
        />
      ))}
      <div>
        <button type="button" id={ADD} onClick={add}>
          Add a field
        </button>
      </div>
    </section>
  );
}
