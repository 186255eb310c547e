import type { JobErrorsQuery } from "../../gql/operations";
import { count } from "../../locale";
import { Plain } from "../../parts/plain";
import { Value } from "../../parts/value";
import { codeInWords } from "../../words";
import { ordinal } from "./ordinal";

type RecordError = NonNullable<JobErrorsQuery["job"]>["errors"]["nodes"][number];

/** The API cuts values that are longer. */
const LONGEST = 1024;

/** One error as a row. */
export function ErrorLine({ error, isRetry }: { error: RecordError; isRetry: boolean }) {
  const { recordIndex, originIndex, line, field, path, code, message, rawValue } = error;
  return (
    <tr>
      <th scope="row" class="number">
        {count(ordinal(recordIndex))}
      </th>
      {isRetry && <td class="number">{originIndex == null ? "–" : count(ordinal(originIndex))}</td>}
      <td class="number">{line == null ? "–" : count(line)}</td>
      <td class="field">
        {field == null ? <em>Whole record</em> : <Plain text={field} />}
        {path && path !== field && (
          <div class="hint">
            <Plain text={path} />
          </div>
        )}
      </td>
      <td class="said expected">
        <Plain text={message} />
        <div class="hint">{codeInWords(code)}</div>
      </td>
      <td>
        <Value of={rawValue ?? null} />
        {rawValue && Array.from(rawValue).length >= LONGEST && <div class="hint">Cut at {count(LONGEST)} characters</div>}
      </td>
    </tr>
  );
}
