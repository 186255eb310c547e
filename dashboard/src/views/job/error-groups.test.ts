import { describe, expect, it } from "vitest";

import { countOf, filterOf, groupInWords, groupsOf } from "./error-groups";

const SUMMARY = [
  { field: "email", code: "INVALID_EMAIL" as const, count: "60" },
  { field: null, code: "COLUMN_COUNT" as const, count: "30" },
  { field: "email", code: "REQUIRED" as const, count: "10" },
];

describe("the bars of the chart", () => {
  it("the largest fills the width, the shares are of all errors, the order is the summary's", () => {
    expect(groupsOf(SUMMARY).map(({ length, share }) => [length, share])).toEqual([
      [100, 60],
      [50, 30],
      [expect.closeTo(16.67, 1), 10],
    ]);
  });

  it("each has a key of its own: one field with two codes, one code in two fields", () => {
    const groups = groupsOf([...SUMMARY, { field: "name", code: "REQUIRED" as const, count: "1" }]);
    expect(new Set(groups.map(({ key }) => key)).size).toBe(4);
  });

  it("there are none where nothing was wrong", () => {
    expect(groupsOf([])).toEqual([]);
    expect(countOf([])).toBe("0");
  });

  it("counts are added up exactly, however large", () => {
    expect(
      countOf([
        { field: "a", code: "REQUIRED", count: "9007199254740993" },
        { field: "b", code: "REQUIRED", count: "2" },
      ]),
    ).toBe("9007199254740995");
  });
});

describe("what a bar filters by", () => {
  it("field and code", () => {
    expect(filterOf({ field: "email", code: "REQUIRED" })).toEqual({ field: "email", code: "REQUIRED" });
  });

  it("the code alone for whole records, which have no field", () => {
    expect(filterOf({ field: null, code: "COLUMN_COUNT" })).toEqual({ code: "COLUMN_COUNT" });
  });

  it("nothing when no bar is chosen", () => {
    expect(filterOf(null)).toBeNull();
  });

  it("is said in words", () => {
    expect(groupInWords({ field: "email", code: "INVALID_EMAIL" })).toBe("email: Invalid email");
    expect(groupInWords({ field: null, code: "COLUMN_COUNT" })).toBe("Whole record: Column count");
  });
});
