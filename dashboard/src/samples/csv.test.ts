import { expect, it } from "vitest";

import { beginning, likelyDelimiter, rows, type Dialect } from "./csv";
import { arraysIn, likelyRecords } from "./json";

const PLAIN: Dialect = { delimiter: ",", quote: '"', escape: "", comment: "" };

function cells(text: string, dialect: Partial<Dialect> = {}): string[][] {
  return [...rows(text, { ...PLAIN, ...dialect }, 0)].map((row) => row.cells);
}

it("reads cells as they were meant", () => {
  expect(cells('a,"b ""c"", d"\n"x\ny",5" pipe\n')).toEqual([
    ["a", 'b "c", d'],
    ["x\ny", '5" pipe'],
  ]);
  expect(cells('"a\\"b",c\\,d\n', { escape: "\\" })).toEqual([['a"b', "c,d"]]);
  expect(cells("'a,b',\"\n", { quote: "'" })).toEqual([["a,b", '"']]);
  expect(cells('"a,b"\n', { quote: "" })).toEqual([['"a', 'b"']]);
});

it("has no cells in comments and blank lines", () => {
  expect(cells('# "a\n\n  \nb,c\n', { comment: "#" })).toEqual([[], [], [], ["b", "c"]]);
});

it("says whether the last record has its end", () => {
  expect([...rows("a\nb", PLAIN, 0)].map(({ end, whole }) => [end, whole])).toEqual([
    [2, true],
    [3, false],
  ]);
});

it("begins behind what is skipped, and behind a sep= line", () => {
  expect(beginning("x\r\ny\nheader", 2)).toEqual({ start: 5, announced: null });
  expect(beginning("x\ny", 9).start).toBe(3);
  expect(beginning("sep=;\nheader", 0)).toEqual({ start: 6, announced: ";" });
});

it("finds the mark that stands most often outside quotes", () => {
  expect(likelyDelimiter('"a,b,c";d\n1,2,3,4', 0, '"')).toBe(";");
  expect(likelyDelimiter('"a,b,c";d\n', 0, "")).toBe(",");
  expect(likelyDelimiter("\n\na|b", 0, '"')).toBe("|");
  expect(likelyDelimiter("a", 0, '"')).toBe(",");
});

it("finds the arrays that keys lead to, and those alone", () => {
  expect(arraysIn('{"a":{"b":[{},{}]},"c":[1]}').map(({ path, ends, ofObjects }) => [path.join("."), ends.length, ofObjects])).toEqual([
    ["a.b", 2, true],
    ["c", 1, false],
  ]);
  expect(arraysIn('[[{"a":1},{"a":2}],[').map(({ path }) => path)).toEqual([[]]);
  expect(likelyRecords(arraysIn("[[{},{}],[]]"))).toBeNull();
});
