import type { SchemaChoice } from "../../api/all-schemas";
import { visible } from "../../parts/plain";

interface Props {
  /** Null until they are known. */
  schemas: SchemaChoice[] | null;
  chosen: string;
  onChoose: (id: string) => void;
}

/** Asks through which schema a file goes. */
export function SchemaChoiceField({ schemas, chosen, onChoose }: Props) {
  return (
    <div>
      <label for="schema">Schema</label>
      <select id="schema" value={chosen} disabled={!schemas?.length} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{schemas ? "Choose…" : "Loading…"}</option>
        {schemas?.map(({ id, name, version }) => (
          <option value={id} key={id}>
            {visible(name)} (version {version})
          </option>
        ))}
      </select>
    </div>
  );
}
