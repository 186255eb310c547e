import { describe, expect, it } from "vitest";

import { codeInWords } from "./words";

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
