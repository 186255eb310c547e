import type { Action, DraftField } from "./draft";
import { CheckControl, TextControl } from "./controls";
import { fromLines } from "./lines";
import { fieldControl, type Problems } from "./problems";
import { has, type Rule } from "./rules";

interface Props {
  field: DraftField;
  problems: Problems;
  dispatch: (action: Action) => void;
}

/** How many rules a field has beyond its type. */
export function countRules(field: DraftField): number {
  const texts = [
    field.pattern,
    field.enum,
    field.nullValues,
    ...(["minLength", "maxLength", "min", "max", "format"] as const).filter((rule) => has(field.type, rule)).map((rule) => field[rule]),
  ];
  return texts.filter((text) => text.trim() !== "").length + Number(field.hasDefault) + Number(!field.trim) + Number(!field.emptyIsMissing);
}

/** The rules that fit the field's type. */
export function FieldRules({ field, problems, dispatch }: Props) {
  const set = (changes: Partial<DraftField>) => dispatch({ do: "change-field", key: field.key, changes });
  const common = (option: string) => ({ id: fieldControl(field.key, option), problem: problems.get(fieldControl(field.key, option)) });
  const isMoment = has(field.type, "format");
  const text = (option: Rule | "pattern" | "default", label: string, hint?: string, placeholder?: string) => (
    <TextControl
      {...common(option)}
      label={label}
      hint={hint}
      code
      {...(placeholder ? { placeholder } : {})}
      value={field[option]}
      onInput={(value) => set({ [option]: value })}
    />
  );

  return (
    <div class="rules">
      {isMoment &&
        text(
          "format",
          "How it is written",
          "Empty: ISO 8601. %d is the day, %m the month, %Y the year, %H, %M and %S the time.",
          "%d/%m/%Y",
        )}
      {has(field.type, "min") && (
        <div class="pair">
          {text("min", isMoment ? "Not before" : "At least", isMoment ? "Such as 2026-03-31, whatever the format." : undefined)}
          {text("max", isMoment ? "Not after" : "At most")}
        </div>
      )}
      {has(field.type, "minLength") && (
        <div class="pair">
          {text("minLength", "Fewest characters")}
          {text("maxLength", "Most characters")}
        </div>
      )}
      <TextControl
        {...common("enum")}
        label="Only these values"
        hint={choicesInWords(field.enum)}
        code
        lines={3}
        value={field.enum}
        onInput={(value) => set({ enum: value })}
      />
      {text("pattern", "Pattern", "A regular expression that the whole value has to match, such as [A-Z]{2}[0-9]{4}.")}
      <div>
        <CheckControl
          id={fieldControl(field.key, "hasDefault")}
          problem={undefined}
          label="Fill in a value where it is missing"
          checked={field.hasDefault}
          onChange={(hasDefault) => set({ hasDefault })}
        />
        {field.hasDefault && text("default", "This value")}
      </div>
      <div>
        <CheckControl
          id={fieldControl(field.key, "emptyIsMissing")}
          problem={undefined}
          label="An empty value means: missing"
          checked={field.emptyIsMissing}
          onChange={(emptyIsMissing) => set({ emptyIsMissing })}
        />
        <TextControl
          {...common("nullValues")}
          label="Other words that mean: missing"
          hint="One on each line, such as N/A."
          code
          lines={2}
          value={field.nullValues}
          onInput={(nullValues) => set({ nullValues })}
        />
      </div>
      <CheckControl {...common("trim")} label="Cut off spaces around the value" checked={field.trim} onChange={(trim) => set({ trim })} />
    </div>
  );
}

function choicesInWords(lines: string): string {
  const count = fromLines(lines).length;
  return count === 0 ? "One on each line. Empty: every value." : `One on each line: ${count} so far.`;
}
