import { useState } from "preact/hooks";

import { SelectControl, TextControl } from "./controls";
import { markInWords } from "./words";

const USUAL = ["", ",", ";", "\t", "|"];
const OTHER = "other";

interface Props {
  value: string;
  problem: string | undefined;
  onChange: (delimiter: string) => void;
}

/** What stands between two values: one of the usual marks, or any other character. */
export function DelimiterControl({ value, problem, onChange }: Props) {
  const [isOther, setOther] = useState(!USUAL.includes(value));
  const options = USUAL.map((mark) => [mark, mark === "" ? "Found out from the header" : markInWords(mark)] as const);
  const choose = (choice: string) => {
    setOther(choice === OTHER);
    onChange(choice === OTHER ? "" : choice);
  };
  return (
    <div>
      <SelectControl
        id={isOther ? "csv-delimiter-kind" : "csv-delimiter"}
        label="Between two values"
        problem={isOther ? undefined : problem}
        options={[...options, [OTHER, "Another character"]]}
        value={isOther ? OTHER : value}
        onChange={choose}
      />
      {isOther && <TextControl id="csv-delimiter" label="Which character" code problem={problem} value={value} onInput={onChange} />}
    </div>
  );
}
