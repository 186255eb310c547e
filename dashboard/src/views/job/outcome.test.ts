import { describe, expect, it } from "vitest";

import { canCarryIndex, outcomeOf } from "./outcome";

const progress = (recordsRead: number, recordsRejected: number) => ({
  recordsRead: String(recordsRead),
  recordsAccepted: String(recordsRead - recordsRejected),
  recordsRejected: String(recordsRejected),
});

describe("what is still to be done about a file", () => {
  it("names what is outstanding, of how many", () => {
    const { good, message } = outcomeOf({ status: "COMPLETED", outstanding: "533", progress: progress(20000, 600) });
    expect(good).toBe(false);
    expect(message).toMatch(/^533 of 20\D?000 records are outstanding/);
    expect(outcomeOf({ status: "COMPLETED", outstanding: "1", progress: progress(2, 1) }).message).toContain(
      "1 of 2 records is outstanding",
    );
  });

  it("says that everything is loaded, and by whom", () => {
    expect(outcomeOf({ status: "COMPLETED", outstanding: "0", progress: progress(10, 0) })).toEqual({
      good: true,
      message: "Everything is loaded: 10 records, and none was rejected.",
    });
    expect(outcomeOf({ status: "COMPLETED", outstanding: "0", progress: progress(10, 3) }).message).toBe(
      "Everything is loaded: 7 records by this file, 3 by its retries.",
    );
  });

  it.each(["FAILED", "CANCELLED"] as const)("never says so of a file that is %s", (status) => {
    for (const [read, rejected] of [
      [0, 0],
      [10, 0],
      [10, 4],
    ] as const) {
      const { good, message } = outcomeOf({ status, outstanding: String(rejected), progress: progress(read, rejected) });
      expect(good).toBe(false);
      expect(message).toContain(read === 0 ? "send it again" : "not read to its end");
    }
  });

  it("never says so of what was deleted again", () => {
    const discarded = { status: "COMPLETED", outstanding: "0", progress: progress(10, 3), discard: { status: "COMPLETED" } } as const;
    expect(outcomeOf(discarded)).toMatchObject({ good: false, message: expect.stringContaining("send the file anew") });
    expect(outcomeOf({ ...discarded, parent: { id: "x" } }).message).toContain("a retry, it is outstanding");
  });

  it("a file without records is fine", () => {
    expect(outcomeOf({ status: "COMPLETED", outstanding: "0", progress: progress(0, 0) }).good).toBe(true);
  });
});

describe("whether rejected records can say which ones they are", () => {
  const recordSchema = { id: "s", name: "orders", version: 1, csv: { header: true } };
  const wrong = (code: "NOT_AN_OBJECT" | "MALFORMED_RECORD" | "REQUIRED") => [{ field: null, code, count: "1" }];

  it("a table needs a header", () => {
    expect(canCarryIndex({ format: "CSV", recordSchema, errorSummary: [] })).toBe(true);
    expect(canCarryIndex({ format: "TSV", recordSchema: { ...recordSchema, csv: { header: false } }, errorSummary: [] })).toBe(false);
  });

  it("JSON needs objects", () => {
    expect(canCarryIndex({ format: "JSON", recordSchema, errorSummary: wrong("REQUIRED") })).toBe(true);
    expect(canCarryIndex({ format: "JSON", recordSchema, errorSummary: wrong("NOT_AN_OBJECT") })).toBe(false);
    expect(canCarryIndex({ format: "NDJSON", recordSchema, errorSummary: wrong("MALFORMED_RECORD") })).toBe(false);
  });

  it("XML always can", () => {
    expect(canCarryIndex({ format: "XML", recordSchema, errorSummary: wrong("MALFORMED_RECORD") })).toBe(true);
  });
});
