import { describe, expect, it } from "vitest";

import { codeInWords, formatOf, isFinal, STATUS, STATUS_SENTENCE } from "./words";

describe("formatOf", () => {
  it.each([
    ["a.csv", "CSV"],
    ["a.TAB", "TSV"],
    ["a.json", "JSON"],
    ["a.jsonl", "NDJSON"],
    ["a.csv.xml", "XML"],
    ["a.csv.gz", null],
    ["csv", null],
  ])("%s is %s", (name, format) => {
    expect(formatOf(name)).toBe(format);
  });
});

it("every state has a word and a sentence, and nothing follows on three of them", () => {
  expect(Object.keys(STATUS)).toEqual(Object.keys(STATUS_SENTENCE));
  const final = (Object.keys(STATUS) as (keyof typeof STATUS)[]).filter(isFinal);
  expect(final).toEqual(["COMPLETED", "FAILED", "CANCELLED"]);
});

describe("codes in words", () => {
  it("most read as they are", () => {
    expect(codeInWords("INVALID_DATE")).toBe("Invalid date");
    expect(codeInWords("REQUIRED")).toBe("Required");
  });

  it("those that only programmers know are told in others", () => {
    expect(codeInWords("NOT_IN_ENUM")).toBe("Not an allowed value");
  });

  it("a code that is newer than this page is told, too", () => {
    expect(codeInWords("TOO_BLUE")).toBe("Too blue");
  });
});
