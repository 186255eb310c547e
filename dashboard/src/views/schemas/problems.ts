import type { Draft } from "./draft";
import { has, type Rule } from "./rules";
import { wholeNumber } from "./to-input";

/** What has to be put right, by the id of the control that it is about; "" is the form as a whole. */
export type Problems = ReadonlyMap<string, string>;

export const NONE: Problems = new Map();

const WHOLE = "This must be a whole number, 0 or more.";
const OPTIONS = new Set(["name", "source", "type", "required", "default", "nullValues", "trim", "enum", "pattern"]);
const TYPE_RULES = new Set(["minLength", "maxLength", "min", "max", "format"]);

/** The id of the control of a field's option. */
export function fieldControl(key: number, option: string): string {
  return `field-${key}-${option}`;
}

/** The control that a path of the API is about: ["input", "fields", "2", "pattern"]. "" when there is none. */
export function controlId(draft: Draft, path: readonly string[]): string {
  const [first, second, third] = path[0] === "input" ? path.slice(1) : path;
  if (first === "fields") {
    const field = draft.fields[Number(second)];
    const option = third ?? "name";
    const isThere = OPTIONS.has(option) || (field && TYPE_RULES.has(option) && has(field.type, option as Rule));
    return field && isThere ? fieldControl(field.key, option) : "";
  }
  if (first === "csv") {
    return second && second in draft.csv ? `csv-${second}` : "";
  }
  return first === "name" || first === "recordPath" || first === "encoding" || first === "unknownFields" ? `schema-${first}` : "";
}

/** The API's complaints at their controls; several about one are one text. */
export function placed(draft: Draft, errors: readonly { field?: readonly string[] | null; message: string }[]): Problems {
  const problems = new Map<string, string>();
  for (const { field, message } of errors) {
    const id = controlId(draft, field ?? []);
    problems.set(id, problems.has(id) ? `${problems.get(id)} ${message}` : message);
  }
  return problems;
}

/** What the API could not even be asked, as it is no number. */
export function unaskable(draft: Draft): Problems {
  const problems = new Map<string, string>();
  const isWrong = (text: string) => text.trim() !== "" && wholeNumber(text) === null;
  if (isWrong(draft.csv.skipLines)) {
    problems.set("csv-skipLines", WHOLE);
  }
  for (const field of draft.fields) {
    for (const rule of ["minLength", "maxLength"] as const) {
      if (has(field.type, rule) && isWrong(field[rule])) {
        problems.set(fieldControl(field.key, rule), WHOLE);
      }
    }
  }
  return problems;
}

/** The problem to go to first: in the order of the form. */
export function firstControl(draft: Draft, problems: Problems): string | null {
  const options = [...OPTIONS, ...TYPE_RULES];
  const order = ["schema-name", ...draft.fields.flatMap(({ key }) => options.map((option) => fieldControl(key, option)))];
  const ids = [...problems.keys()].filter((id) => id !== "");
  return order.find((id) => problems.has(id)) ?? ids[0] ?? null;
}
