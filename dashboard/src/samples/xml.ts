/** A tag, or text between tags. `empty`: `<a/>`, which opens and closes. */
export type Token =
  | { kind: "open" | "empty"; name: string; attributes: string; end: number }
  | { kind: "close"; name: string; end: number }
  | { kind: "text"; text: string; end: number };

const NAME = /[^\s/>]+/y;

/** What is read over, by how it begins, and how it ends. */
const OTHERS = [
  ["<!--", "-->"],
  ["<?", "?>"],
] as const;
const CDATA = ["<![CDATA[", "]]>"] as const;

/** The tags and texts of an XML document, up to where it breaks off. It is not checked. */
export function* tokens(text: string): Generator<Token> {
  let position = 0;
  while (position < text.length) {
    const other = OTHERS.find(([start]) => text.startsWith(start, position));
    if (text[position] !== "<") {
      const next = text.indexOf("<", position);
      const end = next === -1 ? text.length : next;
      yield { kind: "text", text: withEntities(text.slice(position, end)), end };
      position = end;
    } else if (text.startsWith(CDATA[0], position)) {
      const end = text.indexOf(CDATA[1], position);
      if (end === -1) {
        return;
      }
      yield { kind: "text", text: text.slice(position + CDATA[0].length, end), end: end + CDATA[1].length };
      position = end + CDATA[1].length;
    } else if (other) {
      const end = text.indexOf(other[1], position + other[0].length);
      if (end === -1) {
        return;
      }
      position = end + other[1].length;
    } else {
      const end = tagEnd(text, position);
      if (end === -1) {
        return;
      }
      const tag = tagAt(text, position, end);
      if (tag) {
        yield tag;
      }
      position = end;
    }
  }
}

/** A name without its prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The attributes of a tag, without those that are about namespaces. */
export function attributesOf(written: string): [string, string][] {
  // A name matches without a value, too: otherwise one that is long, and has none, is tried from each of its characters.
  return [...written.matchAll(/([^\s=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?/g)]
    .filter(([, name, double, single]) => (double ?? single) !== undefined && !/^xmlns(:|$)|^xsi:/.test(name!))
    .map(([, name, double, single]) => [localName(name!), withEntities(double ?? single ?? "")]);
}

/** Behind the `>` that ends the tag: one in an attribute's value ends nothing. */
function tagEnd(text: string, start: number): number {
  let quote = "";
  for (let position = start; position < text.length; position += 1) {
    const character = text[position]!;
    if (quote) {
      quote = character === quote ? "" : quote;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === ">") {
      return position + 1;
    }
  }
  return -1;
}

function tagAt(text: string, start: number, end: number): Token | null {
  if (text[start + 1] === "!") {
    return null; // a DOCTYPE, which the server refuses
  }
  const isClose = text[start + 1] === "/";
  NAME.lastIndex = start + (isClose ? 2 : 1);
  const name = NAME.exec(text)?.[0] ?? "";
  if (isClose) {
    return { kind: "close", name, end };
  }
  const isEmpty = text[end - 2] === "/";
  return { kind: isEmpty ? "empty" : "open", name, attributes: text.slice(start + 1 + name.length, end - (isEmpty ? 2 : 1)), end };
}

const ENTITIES = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

function withEntities(text: string): string {
  return text.replace(/&(?:(\w+)|#(\d{1,7})|#x([\da-f]{1,6}));/gi, (whole, name: string | undefined, decimal?: string, hex?: string) => {
    if (name) {
      return ENTITIES.get(name) ?? whole;
    }
    const code = decimal ? Number(decimal) : parseInt(hex!, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
