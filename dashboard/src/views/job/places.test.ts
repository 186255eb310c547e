import { describe, expect, it } from "vitest";

import { beginning } from "../../parts/value";
import { ancestors } from "./ancestors";
import { ordinal } from "./ordinal";

describe("places", () => {
  it("people count records from 1, beyond what a double holds", () => {
    expect(ordinal("0")).toBe("1");
    expect(ordinal("9007199254740992")).toBe("9007199254740993");
  });

  it("the jobs before a retry are told from the nearest to the first", () => {
    const first = { id: "1", filename: "orders.csv", parent: null };
    const second = { id: "2", filename: "orders.rejected.csv", parent: first };
    expect(ancestors({ parent: second }).map(({ id }) => id)).toEqual(["2", "1"]);
    expect(ancestors(first)).toEqual([]);
  });

  it("a long value is not cut in the middle of a character", () => {
    expect(beginning("ab😀c", 3)).toBe("ab");
    expect(beginning("ab😀c", 4)).toBe("ab😀");
    expect(beginning("ab", 4)).toBe("ab");
  });
});
