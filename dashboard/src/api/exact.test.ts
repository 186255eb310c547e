import { describe, expect, it } from "vitest";

import { withExactNumbers } from "./exact";

describe("withExactNumbers", () => {
  it.each([
    ["a decimal with its last nought", `{"amount":0.10}`, { amount: "0.10" }],
    ["30 digits", `[123456789012345678901234567890]`, ["123456789012345678901234567890"]],
    ["the first whole number that a double misses", `[9007199254740993]`, ["9007199254740993"]],
    ["an exponent", `[1e3,-2.50E-7]`, ["1e3", "-2.50E-7"]],
    ["a nought with a sign", `[-0,-0.0]`, ["-0", "-0.0"]],
    ["more than a double can hold", `[1e400]`, ["1e400"]],
  ])("keeps %s", (_, json, expected) => {
    expect(JSON.parse(withExactNumbers(json))).toEqual(expected);
  });

  it("leaves numbers that JavaScript writes as they stand", () => {
    const json = `{"index":17,"price":12.5,"debt":-3,"none":0,"list":[1,2.25,1e+21]}`;
    expect(withExactNumbers(json)).toBe(json);
  });

  it("leaves texts alone, whatever is in them", () => {
    const values = ["0.10", 'a "quoted" 0.10', "\\", '\\"0.10', "\n1e3", "☃ 0.10", ""];
    const json = JSON.stringify({ "0.10": values });
    expect(withExactNumbers(json)).toBe(json);
  });

  it("leaves true, false and null alone", () => {
    expect(withExactNumbers("[true,false,null]")).toBe("[true,false,null]");
  });

  it.each(["x", "\u0001", '"', "\\"])("takes a value as long as a record may be without running out of stack: %j", (character) => {
    const json = JSON.stringify({ note: character.repeat(8 * 1024 * 1024), amount: 1 });
    expect(withExactNumbers(json) === json).toBe(true);
  });

  it("leaves a text that breaks off as it is", () => {
    expect(withExactNumbers('{"note":"0.10')).toBe('{"note":"0.10');
  });
});
