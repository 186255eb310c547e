import { describe, expect, it } from "vitest";

import { pieces } from "./plain";

describe("pieces", () => {
  it("of ordinary text are one, in any script", () => {
    for (const text of ["ann@example.com", "Ünïcode ☃ 日本語 עברית", "<b>&amp;</b>", "😀 👩🏽"]) {
      expect(pieces(text)).toEqual([{ text }]);
    }
  });

  it("of nothing are none", () => {
    expect(pieces("")).toEqual([]);
  });

  it("show what ends a line and what moves to the next column", () => {
    expect(pieces("a\r\n\tb")).toEqual([
      { text: "a" },
      { mark: "␍", title: "U+000D" },
      { mark: "↵", title: "U+000A" },
      { mark: "⇥", title: "U+0009" },
      { text: "b" },
    ]);
  });

  it.each([
    ["\u0000", "␀", "U+0000"],
    ["\u001b", "␛", "U+001B"],
    ["\u007f", "⟨U+007F⟩", "U+007F"],
    ["\u009b", "⟨U+009B⟩", "U+009B"],
    ["\u00a0", "⟨U+00A0⟩", "U+00A0 no-break space"],
    ["\u200b", "⟨U+200B⟩", "U+200B zero width space"],
    ["\u202e", "⟨U+202E⟩", "U+202E right-to-left override"],
    ["\u2066", "⟨U+2066⟩", "U+2066 left-to-right isolate"],
    ["\ufeff", "⟨U+FEFF⟩", "U+FEFF byte order mark"],
    ["\u{e0041}", "⟨U+E0041⟩", "U+E0041"],
  ])("show %j, which cannot be seen", (character, mark, title) => {
    expect(pieces(`in${character}voice`)).toEqual([{ text: "in" }, { mark, title }, { text: "voice" }]);
  });

  it("hold every character of the text but those that are marked", () => {
    const text = "\u202egpj.\u0007exe\u200f";
    const shown = pieces(text).map((piece) => ("text" in piece ? piece.text : piece.mark));
    expect(shown.join("")).toBe("⟨U+202E⟩gpj.␇exe⟨U+200F⟩");
  });
});
