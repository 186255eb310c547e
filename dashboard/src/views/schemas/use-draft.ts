import { useReducer, useState } from "preact/hooks";

import { reduce, type Action, type Draft } from "./draft";
import { fieldControl, NONE, type Problems } from "./problems";

/** A draft, and what has to be put right in it: that goes as soon as its control is changed. */
export function useDraft(initial: Draft) {
  const [draft, apply] = useReducer(reduce, initial);
  const [problems, setProblems] = useState<Problems>(NONE);
  const dispatch = (action: Action) => {
    apply(action);
    const touched = controlsOf(action);
    setProblems((now) => (touched.some((id) => now.has(id)) ? new Map([...now].filter(([id]) => !touched.includes(id))) : now));
  };
  return { draft, problems, setProblems, dispatch };
}

function controlsOf(action: Action): string[] {
  switch (action.do) {
    case "change":
      return Object.keys(action.changes).map((option) => `schema-${option}`);
    case "change-csv":
      return Object.keys(action.changes).map((option) => `csv-${option}`);
    case "change-field":
      return Object.keys(action.changes).map((option) => fieldControl(action.key, option));
    default:
      return [""]; // what was wrong with the fields as a whole
  }
}
