import { expect, it } from "vitest";

import { guess } from "./guess";
import { tidyNames } from "./names";

it.each([
  [["1", "-2", "0"], "INTEGER"],
  [["1", "2.50", "-1e3"], "NUMBER"],
  [["true", "FALSE"], "BOOLEAN"],
  [["yes", "no"], "BOOLEAN"],
  [["1", "0"], "INTEGER"],
  [["2026-02-28", "2024-02-29"], "DATE"],
  [["2026-02-30"], "STRING"],
  [["2026-02-28T10:00:00Z", "2026-02-28 10:00:00.5+02:00"], "DATETIME"],
  [["a@b.example", "c+d@e.f.example"], "EMAIL"],
  [["http://a.example", "https://b.example/x?y"], "URL"],
  [["1", "x"], "STRING"],
  [[], "STRING"],
] as const)("%j is %s", (values, type) => {
  expect(guess([...values]).type).toBe(type);
});

it.each([["00123"], ["+49301234"], ["12345678901234567890"], ["12,50"]])("%s keeps its digits, as a text or a number", (text) => {
  expect(["STRING", "NUMBER"]).toContain(guess([text]).type);
  expect(guess(["007"]).type).toBe("STRING");
});

it.each([
  [["31/12/2026", "01/02/2026"], "%d/%m/%Y"],
  [["12/31/2026", "01/02/2026"], "%m/%d/%Y"],
  [["01.02.2026"], "%d.%m.%Y"],
])("%j is written as %s", (values, format) => {
  expect(guess(values)).toEqual({ type: "DATE", format, nullValues: [] });
});

it("leaves days alone that may be months", () => {
  expect(guess(["01/02/2026", "03/04/2026"]).type).toBe("STRING");
  expect(guess(["13/14/2026"]).type).toBe("STRING");
});

it("takes words for nothing where the rest is no text", () => {
  expect(guess(["1", "N/A", "2", "-"])).toEqual({ type: "INTEGER", format: "", nullValues: ["N/A", "-"] });
  expect(guess(["a", "N/A"])).toEqual({ type: "STRING", format: "", nullValues: [] });
});

const four = (value: string) => Array.from({ length: 4 }, () => value);

it.each([
  ["a@b.example", "a(at)b.example", "EMAIL"],
  ["12.50", "=1+1", "NUMBER"],
  ["12", "twelve", "INTEGER"],
  ["12", "1.5", "NUMBER"],
  ["12345", "01234", "STRING"],
  ["2026-02-28", "soon", "DATE"],
  ["2026-02-28", "2026-02-28T10:00:00Z", "STRING"],
  ["31/12/2026", "31 dec", "DATE"],
  ["yes", "maybe", "STRING"],
])("four of %s and one %s is %s", (value, other, type) => {
  expect(guess([...four(value), other]).type).toBe(type);
});

it("takes no type that a third of the values do not fit", () => {
  expect(guess(["1", "2", "x"]).type).toBe("STRING");
});

it("makes tidy names, each of them once", () => {
  expect(tidyNames(["Order No", "orderNo", "Größe (cm)", "@id", "%", "Ærø", "名前"])).toEqual([
    "order_no",
    "order_no_2",
    "grosse_cm",
    "id",
    "field_5",
    "aero",
    "名前",
  ]);
});
