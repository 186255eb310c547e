import { describe, expect, it } from "vitest";

import { writing } from "./locale";

const english = writing("en-GB", "UTC");
const german = writing("de-DE", "Europe/Berlin");

/** Locales write spaces that do not break. */
const plain = (text: string) => text.replace(/\s/g, " ");

describe("count", () => {
  it("writes the API's BigInt with all its digits", () => {
    expect(english.count("9007199254740993")).toBe("9,007,199,254,740,993");
    expect(german.count("3000000")).toBe("3.000.000");
    expect(english.count(1234.4)).toBe("1,234");
  });

  it("has its noun in the right number", () => {
    expect(english.counted(1, "record")).toBe("1 record");
    expect(english.counted("1", "record")).toBe("1 record");
    expect(english.counted("0", "record")).toBe("0 records");
    expect(english.counted("20000", "record")).toBe("20,000 records");
  });
});

describe("percent", () => {
  it.each([
    [0, "0%"],
    [0.9, "0%"],
    [99.99, "99%"],
    [100, "100%"],
  ])("of %d is %s: all is all", (value, written) => {
    expect(english.percent(value)).toBe(written);
  });

  it("is written as in the reader's language", () => {
    expect(plain(german.percent(42))).toBe("42 %");
  });
});

describe("size", () => {
  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1,023 bytes"],
    [1024, "1 kB"],
    ["1234567", "1.2 MB"],
    ["524288000", "500 MB"],
    [5 * 2 ** 40, "5,120 GB"],
  ])("of %s bytes is %s", (bytes, written) => {
    expect(plain(english.size(bytes))).toBe(written);
  });

  it("is written as in the reader's language", () => {
    expect(plain(german.size(1.5 * 2 ** 20))).toBe("1,5 MB");
  });
});

describe("moment", () => {
  it("is told in the reader's language and time zone", () => {
    expect(english.moment("2026-11-23T18:00:00.123456Z")).toBe("23 Nov 2026, 18:00:00");
    expect(german.moment("2026-11-23T18:00:00Z")).toBe("23.11.2026, 19:00:00");
  });
});

describe("duration", () => {
  it.each([
    [-3, "0 sec"],
    [0.4, "0 sec"],
    [59.6, "1 min"],
    [61, "1 min 1 sec"],
    [3600, "1 hr"],
    [3659, "1 hr"],
    [7325, "2 hr 2 min"],
  ])("of %d seconds is %s", (seconds, written) => {
    expect(plain(writing("en-US").duration(seconds))).toBe(written);
  });
});

it("tells a pace", () => {
  expect(english.pace(12345.6)).toBe("12,346 records/s");
});
