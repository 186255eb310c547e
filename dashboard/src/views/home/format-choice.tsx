import type { FileFormat } from "../../gql/operations";
import { FORMATS } from "../../words";

/** Asks for the format of a file whose name does not tell. */
export function FormatChoice({ chosen, onChoose }: { chosen: FileFormat | null; onChoose: (format: FileFormat | null) => void }) {
  return (
    <div>
      <label for="format">Format</label>
      <select id="format" value={chosen ?? ""} onChange={(event) => onChoose((event.currentTarget.value || null) as FileFormat | null)}>
        <option value="">Choose…</option>
        {Object.entries(FORMATS).map(([format, { name }]) => (
          <option value={format} key={format}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
