import type { SchemaChoice } from "../../api/all-schemas";
import type { JobStatus } from "../../gql/operations";
import { visible } from "../../parts/plain";
import { STATUS } from "../../words";
import { VersionChoice } from "./version-choice";

/** Which jobs to list; "" is any. */
export interface Filter {
  status: JobStatus | "";
  /** Of the newest version of the chosen schema. */
  newestId: string;
  /** Of the chosen version. */
  schemaId: string;
  dryRun: boolean;
}

export const NO_FILTER: Filter = { status: "", newestId: "", schemaId: "", dryRun: false };

interface Props {
  /** To choose from; null until they are known. */
  schemas: SchemaChoice[] | null;
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** Chooses among the jobs. */
export function JobFilters({ schemas, filter, onChange }: Props) {
  const chosen = schemas?.find(({ id }) => id === filter.newestId);
  return (
    <div class="row filters" role="group" aria-label="Which files to list">
      <label>
        <span>State</span>
        <select value={filter.status} onChange={(event) => onChange({ ...filter, status: event.currentTarget.value as JobStatus | "" })}>
          <option value="">Any</option>
          {Object.entries(STATUS).map(([status, words]) => (
            <option value={status} key={status}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Schema</span>
        <select
          value={filter.newestId}
          onChange={({ currentTarget: { value } }) => onChange({ ...filter, newestId: value, schemaId: value })}
        >
          <option value="">Any</option>
          {schemas?.map(({ id, name }) => (
            <option value={id} key={id}>
              {visible(name)}
            </option>
          ))}
        </select>
      </label>
      {chosen && chosen.version > 1 && (
        <VersionChoice name={chosen.name} chosen={filter.schemaId} onChoose={(schemaId) => onChange({ ...filter, schemaId })} />
      )}
      <label class="check">
        <input type="checkbox" checked={filter.dryRun} onChange={(event) => onChange({ ...filter, dryRun: event.currentTarget.checked })} />
        <span>Dry runs only</span>
      </label>
    </div>
  );
}
