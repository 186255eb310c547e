import { expect, it } from "vitest";

import { excerpt, LONGEST } from "./value";

it("shows all of a text that is not long, and the beginning of one that is", () => {
  expect(excerpt("abc", 3)).toBe("abc");
  expect(excerpt("abcd", 3)).toBe("abc…");
  expect(excerpt("\u202e".repeat(1_000_000), LONGEST)).toHaveLength(LONGEST + 1);
});

it("cuts no character in two", () => {
  expect(excerpt("ab😀cd", 3)).toBe("ab…");
});
