const NAMES: Record<number, string> = {
  0x00a0: "no-break space",
  0x00ad: "soft hyphen",
  0x061c: "Arabic letter mark",
  0x200b: "zero width space",
  0x200c: "zero width non-joiner",
  0x200d: "zero width joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x2028: "line separator",
  0x2029: "paragraph separator",
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202c: "pop directional formatting",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2060: "word joiner",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
  0x2069: "pop directional isolate",
  0xfeff: "byte order mark",
};
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]|[\u{e0000}-\u{e007f}]/gu;
const PICTURES: Record<string, string> = { "\n": "↵", "\r": "␍", "\t": "⇥" };

/** A piece of text that can be seen as it is, or the mark of a character that cannot. */
export type Piece = { text: string } | { mark: string; title: string };

/** Text of somebody else's, so that nothing in it is hidden and nothing turns what stands beside it around. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > end) {
      found.push({ text: text.slice(end, match.index) });
    }
    found.push(marked(match[0]));
    end = match.index + match[0].length;
  }
  if (end < text.length) {
    found.push({ text: text.slice(end) });
  }
  return found;
}

/** The same where there is nothing but text: in a window's title, or said aloud. */
export function visible(text: string): string {
  return pieces(text)
    .map((piece) => ("text" in piece ? piece.text : piece.mark))
    .join("");
}

/** Shows text of somebody else's: a value of a file, a file's name. */
export function Plain({ text }: { text: string }) {
  return (
    <bdi class="plain">
      {pieces(text).map((piece) =>
        "text" in piece ? (
          piece.text
        ) : (
          <span class="mark" title={piece.title}>
            {piece.mark}
          </span>
        ),
      )}
    </bdi>
  );
}

function marked(character: string): Piece {
  const code = character.codePointAt(0)!;
  const point = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const picture = PICTURES[character] ?? (code < 0x20 ? String.fromCodePoint(0x2400 + code) : `⟨${point}⟩`);
  return { mark: picture, title: NAMES[code] ? `${point} ${NAMES[code]}` : point };
}
