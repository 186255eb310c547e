import { useState } from "preact/hooks";

import { count, percent } from "../../locale";
import { Plain } from "../../parts/plain";
import { codeInWords } from "../../words";
import type { ErrorGroup } from "./error-groups";

const MOST = 12;

interface Props {
  groups: ErrorGroup[];
  /** The key of the group that the table shows alone. */
  chosen: string | null;
  onChoose: (group: ErrorGroup | null) => void;
}

/** The errors as bars, by field and code: each is a switch that filters. */
export function ErrorChart({ groups, chosen, onChoose }: Props) {
  const [all, setAll] = useState(false);
  const shown = all ? groups : groups.slice(0, MOST);
  return (
    <>
      <ul class="chart" aria-label="Errors by field and kind">
        {shown.map((group) => (
          <li key={group.key}>
            <Bar group={group} pressed={group.key === chosen} onToggle={(pressed) => onChoose(pressed ? group : null)} />
          </li>
        ))}
      </ul>
      {groups.length > MOST && (
        <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? `Show the ${MOST} most frequent` : `Show all ${count(groups.length)} kinds of errors`}
        </button>
      )}
    </>
  );
}

function Bar({ group, pressed, onToggle }: { group: ErrorGroup; pressed: boolean; onToggle: (pressed: boolean) => void }) {
  return (
    <button type="button" class="chart-bar" aria-pressed={pressed} onClick={() => onToggle(!pressed)}>
      <span class="chart-name">
        {group.field === null ? <em>Whole record</em> : <Plain text={group.field} />}{" "}
        <span class="chart-code">{codeInWords(group.code)}</span>
      </span>
      <span class="chart-track" aria-hidden="true">
        <span class="chart-fill" style={{ width: `${group.length}%` }} />
      </span>
      <span class="chart-count">
        {count(group.count)} <span class="hint">{group.share < 1 ? `< ${percent(1)}` : percent(Math.round(group.share))}</span>
      </span>
    </button>
  );
}
