import { useState } from "preact/hooks";

import { count } from "../locale";
import { Plain } from "./plain";

const SHORT = 120;
/** A text of a million marks takes the browser minutes to lay out. All of it is in the file, and in what the API gives. */
export const LONGEST = 10_000;

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
  const [open, setOpen] = useState(false);
  return (
    <>
      <Plain text={excerpt(text, open ? LONGEST : SHORT)} />{" "}
      <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? "Show less" : offer(text)}
      </button>
    </>
  );
}

function offer(text: string): string {
  const characters = count(Array.from(text).length);
  return text.length > LONGEST ? `Show the first ${count(LONGEST)} of ${characters} characters` : `Show all ${characters} characters`;
}

/** A text, or so much of its beginning, with a mark that there is more. */
export function excerpt(text: string, units: number): string {
  return text.length > units ? `${beginning(text, units)}…` : text;
}

/** The first `units` of a text, and no half of a character. */
export function beginning(text: string, units: number): string {
  const cut = text.slice(0, units);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}
