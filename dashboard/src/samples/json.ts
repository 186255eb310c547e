/** An array that keys of objects lead to; only what of it is there, if the text breaks off. */
export interface FoundArray {
  /** The keys on the way to it. */
  path: string[];
  /** Where each whole element ends. */
  ends: number[];
  /** Where the array ends, its bracket included; null when the text breaks off before. */
  end: number | null;
  /** Whether its first element is an object. */
  ofObjects: boolean;
}

interface Level {
  kind: "{" | "[";
  /** Of the pair that is being read. */
  key: string;
  /** Null where an array lies on the way, or too many keys: no path leads in there. */
  path: string[] | null;
  found: FoundArray | null;
  /** Whether something stands in it since its bracket or the last comma. */
  filled: boolean;
}

/** Keys on the way to a value, at most, so that each of many that lie one in the other has a short way. */
export const DEEPEST = 32;

const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const AFTER_KEY = /\s*:/y;

/** The arrays in a JSON text, which may break off anywhere. It is not checked beyond that. */
export function arraysIn(text: string): FoundArray[] {
  const arrays: FoundArray[] = [];
  const levels: Level[] = [];
  let position = 0;
  const fill = () => {
    const level = levels.at(-1);
    if (level) {
      level.filled = true;
    }
  };
  while (position < text.length) {
    const character = text[position]!;
    const level = levels.at(-1);
    if (character === '"') {
      STRING.lastIndex = position;
      const string = STRING.exec(text)?.[0];
      if (string === undefined) {
        return arrays;
      }
      position += string.length;
      AFTER_KEY.lastIndex = position;
      if (level?.kind === "{" && AFTER_KEY.test(text)) {
        level.key = spelled(string);
      }
      fill();
      continue;
    }
    if (character === "{" || character === "[") {
      fill();
      levels.push(entered(character, level, arrays));
    } else if (character === "," || character === "}" || character === "]") {
      if (level?.found && level.filled) {
        level.found.ends.push(position);
      }
      if (character !== ",") {
        levels.pop();
      }
      if (level?.found && character === "]") {
        level.found.end = position + 1;
      }
      if (level) {
        level.filled = false;
      }
    } else if (character > " ") {
      fill();
    }
    position += 1;
  }
  return arrays;
}

/** The array that holds the records, most likely: the longest one of objects; null when there is none. */
export function likelyRecords(arrays: FoundArray[]): FoundArray | null {
  const ofObjects = arrays.filter((array) => array.ofObjects);
  return ofObjects.sort((one, other) => other.ends.length - one.ends.length)[0] ?? null;
}

function entered(kind: "{" | "[", outer: Level | undefined, arrays: FoundArray[]): Level {
  if (outer?.found && outer.found.ends.length === 0) {
    outer.found.ofObjects = kind === "{";
  }
  const path = !outer ? [] : outer.kind === "{" && outer.path && outer.path.length < DEEPEST ? [...outer.path, outer.key] : null;
  const found = kind === "[" && path ? { path, ends: [], end: null, ofObjects: false } : null;
  if (found) {
    arrays.push(found);
  }
  return { kind, key: "", path, found, filled: false };
}

function spelled(string: string): string {
  try {
    return JSON.parse(string) as string;
  } catch {
    return string.slice(1, -1); // a control character, which the server will complain about
  }
}
