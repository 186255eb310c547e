import { describe, expect, it } from "vitest";

import { quarter, stateInWords } from "./spoken-progress";

describe("what is said of a job while it runs", () => {
  it.each([
    [0, 0],
    [24.9, 0],
    [25, 25],
    [74, 50],
    [99.9, 75],
    [100, 0],
  ])("at %d %% the quarter is %d", (percent, expected) => {
    expect(quarter({ status: "PROCESSING", percent })).toBe(expected);
  });

  it("an end is not a quarter", () => {
    expect(quarter({ status: "CANCELLED", percent: 60 })).toBe(0);
  });

  it("an end has its counts, a beginning has none", () => {
    const counts = { recordsRead: "3", recordsAccepted: "2", recordsRejected: "1" };
    expect(stateInWords({ status: "COMPLETED", ...counts })).toBe("Every record has been decided. 3 records read: 2 accepted, 1 rejected.");
    expect(stateInWords({ status: "PROCESSING", ...counts })).toBe("The file is being read.");
  });
});
