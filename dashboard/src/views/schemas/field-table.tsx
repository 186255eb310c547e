import type { WholeSchemaFragment } from "../../gql/operations";
import { Plain } from "../../parts/plain";
import { TYPES } from "./rules";
import { rulesInWords, type RuleInWords } from "./words";

/** The fields of a version, to read. */
export function FieldTable({ fields }: { fields: WholeSchemaFragment["fields"] }) {
  return (
    <div class="table-frame" role="region" tabIndex={0} aria-label="Table of fields">
      <table class="fields">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Comes from</th>
            <th scope="col">Type</th>
            <th scope="col">Required</th>
            <th scope="col">Rules</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name}>
              <th scope="row">
                <Plain text={field.name} />
              </th>
              <td>
                <Plain text={field.source} />
              </td>
              <td class="type">{TYPES[field.type].name}</td>
              <td>{field.required ? "Yes" : "No"}</td>
              <td>
                <Rules rules={rulesInWords(field)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rules({ rules }: { rules: RuleInWords[] }) {
  if (rules.length === 0) {
    return <span class="hint">None</span>;
  }
  return (
    <ul class="bare">
      {rules.map(({ words, values }) => (
        <li key={words}>
          {words}
          {values.map((value, index) => (
            <>
              {index > 0 ? ", " : " "}
              {value === "" ? "(nothing)" : <Plain text={value} />}
            </>
          ))}
        </li>
      ))}
    </ul>
  );
}
