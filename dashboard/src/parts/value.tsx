import { useState } from "preact/hooks";

import { count } from "../locale";
import { Plain } from "./plain";

const SHORT = 120;

/** A value of a file. No value, and one without characters, cannot be taken for one that says so. */
export function Value({ of: value }: { of: string | null }) {
  if (value === null) {
    return <em class="absent">nothing</em>;
  }
  if (value === "") {
    return <em class="absent">(empty)</em>;
  }
  return value.length > SHORT ? <LongValue text={value} /> : <Plain text={value} />;
}

function LongValue({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  return (
    <>
      <Plain text={whole ? text : `${beginning(text, SHORT)}…`} />{" "}
      <button type="button" class="quiet" aria-expanded={whole} onClick={() => setWhole(!whole)}>
        {whole ? "Show less" : `Show all ${count(Array.from(text).length)} characters`}
      </button>
    </>
  );
}

/** The first `units` of a text, and no half of a character. */
export function beginning(text: string, units: number): string {
  const cut = text.slice(0, units);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}
