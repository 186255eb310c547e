import type { UnknownFields } from "../../gql/operations";
import { CheckControl, SelectControl, TextControl } from "./controls";
import type { Action, Draft } from "./draft";
import { DelimiterControl } from "./delimiter-control";
import type { Problems } from "./problems";
import { ENCODING_NAMES } from "./words";

const UNKNOWN: [UnknownFields, string][] = [
  ["IGNORE", "They are left out"],
  ["REJECT", "The record is rejected"],
];

interface Props {
  draft: Draft;
  problems: Problems;
  dispatch: (action: Action) => void;
}

/** What a schema says of the file as a whole. Most files need nothing of it. */
export function FileOptions({ draft, problems, dispatch }: Props) {
  const { csv, recordPath, encoding, unknownFields } = draft;
  const at = (id: string) => ({ id, problem: problems.get(id) });
  const encodings = [["", "UTF-8, or UTF-16 where the file has its mark"], ...ENCODING_NAMES] as [string, string][];
  const text = (option: "quote" | "escape" | "comment" | "skipLines", label: string, hint: string) => (
    <TextControl
      {...at(`csv-${option}`)}
      label={label}
      hint={hint}
      code
      value={csv[option]}
      onInput={(value) => dispatch({ do: "change-csv", changes: { [option]: value } })}
    />
  );
  return (
    <div class="options">
      <SelectControl
        {...at("schema-unknownFields")}
        label="Keys and columns that no field names"
        options={UNKNOWN}
        value={unknownFields}
        onChange={(value) => dispatch({ do: "change", changes: { unknownFields: value } })}
      />
      <SelectControl
        {...at("schema-encoding")}
        label="Encoding"
        options={encodings}
        value={encoding}
        onChange={(value) => dispatch({ do: "change", changes: { encoding: value } })}
      />
      <TextControl
        {...at("schema-recordPath")}
        label="Where the records are (JSON and XML)"
        hint="JSON: the keys that lead to the array, such as data.orders. XML: the name of a record's element, such as order. Empty: the array at the top; the children of the root element."
        code
        value={recordPath}
        onInput={(value) => dispatch({ do: "change", changes: { recordPath: value } })}
      />
      <fieldset>
        <legend>CSV and TSV files</legend>
        <div class="options">
          <DelimiterControl
            problem={problems.get("csv-delimiter")}
            value={csv.delimiter}
            onChange={(delimiter) => dispatch({ do: "change-csv", changes: { delimiter } })}
          />
          {text("quote", "Around values", "One character. Empty: quotes mean nothing.")}
          {text("escape", "Before a quote inside quotes", "One character, such as \\. Empty: a quote is doubled.")}
          {text("comment", "Comments begin with", "One character, such as #. Empty: there are none.")}
          {text("skipLines", "Lines before the header", "A number.")}
          <CheckControl
            {...at("csv-header")}
            label="The first line is a header"
            hint="Without one, fields come from 1, 2, 3 and so on: the numbers of the columns."
            checked={csv.header}
            onChange={(header) => dispatch({ do: "change-csv", changes: { header } })}
          />
        </div>
      </fieldset>
    </div>
  );
}
