import { describe, expect, it } from "vitest";

import { withNext } from "./pager";

describe("withNext", () => {
  it("leads a page on", () => {
    expect(withNext([], "a")).toEqual(["a"]);
    expect(withNext(["a"], "b")).toEqual(["a", "b"]);
  });

  it("counts no page twice when it is asked for again before it is there", () => {
    expect(withNext(withNext([], "a"), "a")).toEqual(["a"]);
  });

  it.each([null, undefined, ""])("stays where nothing follows: %j", (endCursor) => {
    expect(withNext(["a"], endCursor)).toEqual(["a"]);
  });
});
