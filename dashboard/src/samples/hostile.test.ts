import { expect, it } from "vitest";

import { SAMPLE_BYTES } from "./cut";
import { proposalFor, readSample, sampleBytes } from "./sample";

const LAYOUT = { encoding: "", recordPath: "", delimiter: "", quote: '"', escape: "", comment: "", skipLines: 0, header: true };
/** Of some tenths of a second where nothing else runs; minutes, or no end, where it grows with the square. */
const LONG_MS = 5_000;

/** So much of it as a sample has. */
function full(piece: string): string {
  return piece.repeat(Math.ceil(SAMPLE_BYTES / piece.length));
}

function wide(): string {
  return `${Array.from({ length: 20_000 }, (_, column) => `c${column}`).join(",")}\n${"1\n".repeat(50_000)}`;
}

const DEEP = 50_000;

it.each([
  ["JSON, deep in objects that break off", "a.json", full('{"a":')],
  ["JSON, deep in objects that end", "a.json", `[${'{"a":'.repeat(DEEP / 2)}1${"}".repeat(DEEP / 2)}]`],
  ["JSON, deep in arrays", "a.json", full("[")],
  ["JSON, one text full of quotes that breaks off", "a.json", `["${full('\\"')}`],
  ["an address that goes on and on, and is none", "a.csv", `web\nhttps://${"a".repeat(200_000)} b\n`],
  ["one quoted cell", "a.csv", `a,b\n"${full("x")}`],
  ["many columns, and many short rows", "a.csv", wide()],
  ["XML, one tag without attributes, but long", "a.xml", `<r><a ${"x".repeat(200_000)}/><a/></r>`],
  ["XML, many attributes", "a.xml", `<r><a ${Array.from({ length: 15_000 }, (_, at) => `a${at}="1"`).join(" ")}/><a/></r>`],
  ["XML, deep in elements", "a.xml", `<r>${"<a>".repeat(DEEP / 2)}${"</a>".repeat(DEEP / 2)}</r>`],
  ["XML, many records deep in elements", "a.xml", `${"<a>".repeat(DEEP / 2)}${full("<b/>")}`],
])(
  "takes %s, at once",
  async (_, filename, text) => {
    const sample = await readSample(new File([text], filename));
    const begun = performance.now();
    proposalFor(sample);
    sampleBytes({ ...sample, whole: false }, LAYOUT);
    sampleBytes({ ...sample, whole: false }, { ...LAYOUT, recordPath: "b" });
    expect(performance.now() - begun).toBeLessThan(LONG_MS);
  },
  30_000,
);
