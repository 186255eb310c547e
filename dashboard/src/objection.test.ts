import { describe, expect, it } from "vitest";

import { objectionTo } from "./objection";

const MAX = 1_000_000;

describe("objectionTo", () => {
  it.each(["orders.csv", "ORDERS.CSV", "a.tsv", "a.tab", "a.json", "a.ndjson", "a.jsonl", "a.b.xml"])("takes %s", (name) => {
    expect(objectionTo({ name, size: MAX }, MAX)).toBeNull();
  });

  it.each([
    ["orders.xlsx", "Save it as CSV"],
    ["ORDERS.XLS", "Save it as CSV"],
    ["orders.csv.gz", "Unpack it"],
    ["orders.pdf", "Choose a CSV"],
  ])("says what to do with %s, and asks for no format", (name, todo) => {
    const objection = objectionTo({ name, size: 1 }, MAX);
    expect(objection?.formatUnknown).toBe(false);
    expect(objection?.message).toContain(todo);
  });

  it("says that a file is empty before it asks for its format", () => {
    expect(objectionTo({ name: "orders", size: 0 }, MAX)).toEqual({
      message: "This file is empty. Choose another one.",
      formatUnknown: false,
    });
  });

  it("says by how much a file is too large, also where it looks like no more than the limit", () => {
    const objection = objectionTo({ name: "orders.csv", size: MAX + 1 }, MAX);
    expect(objection?.formatUnknown).toBe(false);
    expect(objection?.message).toContain("(1 byte too many)");
  });

  it.each(["orders", "orders.txt", "csv", "xlsx", "orders.csv "])("asks for the format of %j", (name) => {
    const objection = objectionTo({ name, size: 1 }, MAX);
    expect(objection?.formatUnknown).toBe(true);
    expect(objection?.message).toContain(".csv, .tsv, .tab, .json, .ndjson, .jsonl, .xml");
  });
});
