import { useQuery } from "@urql/preact";

import { NewestVersionsDocument } from "../../gql/operations";

interface Props {
  /** Of the schema. */
  name: string;
  /** The version's id. */
  chosen: string;
  onChoose: (id: string) => void;
}

/** Chooses among the newest 100 versions of a schema: files that were sent with one of before are not those of the newest. */
export function VersionChoice({ name, chosen, onChoose }: Props) {
  const [{ data }] = useQuery({ query: NewestVersionsDocument, variables: { name } });
  return (
    <label>
      <span>Version</span>
      <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        {data?.recordSchemas.nodes.map(({ id, version }) => (
          <option value={id} key={id}>
            {version}
          </option>
        ))}
      </select>
    </label>
  );
}
