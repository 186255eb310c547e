import type { ComponentChildren } from "preact";

interface Common {
  id: string;
  label: string;
  hint?: ComponentChildren;
  /** What has to be put right about it. */
  problem: string | undefined;
}

interface TextProps extends Common {
  value: string;
  onInput: (value: string) => void;
  /** Several lines. */
  lines?: number;
  /** For what is not in a natural language: names, patterns, numbers. */
  code?: boolean;
  placeholder?: string;
}

/** A text to type, with what is wrong about it. */
export function TextControl({ id, label, hint, problem, value, onInput, lines, code = false, placeholder }: TextProps) {
  const attributes = {
    id,
    value,
    placeholder,
    class: code ? "code" : undefined,
    spellcheck: !code,
    autocomplete: "off" as const,
    ...(code ? { autocapitalize: "off" as const } : {}),
    ...described(id, hint, problem),
  };
  return (
    <div class="control">
      <label for={id}>{label}</label>
      {lines ? (
        <textarea rows={lines} {...attributes} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input type="text" {...attributes} onInput={(event) => onInput(event.currentTarget.value)} />
      )}
      <About id={id} hint={hint} problem={problem} />
    </div>
  );
}

interface SelectProps<Value extends string> extends Common {
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
}

/** One of some choices. */
export function SelectControl<Value extends string>({ id, label, hint, problem, value, options, onChange }: SelectProps<Value>) {
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <select id={id} value={value} {...described(id, hint, problem)} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {options.map(([option, words]) => (
          <option value={option} key={option}>
            {words}
          </option>
        ))}
      </select>
      <About id={id} hint={hint} problem={problem} />
    </div>
  );
}

interface CheckProps extends Common {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** Yes or no. */
export function CheckControl({ id, label, hint, problem, checked, onChange }: CheckProps) {
  return (
    <div class="control">
      <label class="check">
        <input
          type="checkbox"
          id={id}
          checked={checked}
          {...described(id, hint, problem)}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span>{label}</span>
      </label>
      <About id={id} hint={hint} problem={problem} />
    </div>
  );
}

function About({ id, hint, problem }: Pick<Common, "id" | "hint" | "problem">) {
  return (
    <>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="wrong" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </>
  );
}

function described(id: string, hint: ComponentChildren, problem: string | undefined) {
  const by = [problem && `${id}-problem`, hint && `${id}-hint`].filter(Boolean).join(" ");
  return { ...(by && { "aria-describedby": by }), ...(problem && { "aria-invalid": true as const }) };
}
