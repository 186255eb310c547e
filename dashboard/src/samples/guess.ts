import type { FieldType } from "../gql/operations";

/** What a column's values are, most likely. */
export interface Guess {
  type: FieldType;
  /** Of dates that are not in ISO 8601; "": they are. */
  format: string;
  /** Words in it that stand for nothing. */
  nullValues: string[];
}

const NOTHING = new Set(["null", "n/a", "na", "none", "-", "\\n"]);
const INTEGER = /^(?:0|-?[1-9]\d{0,17})$/;
const NUMBER = /^-?(?:0|[1-9]\d{0,99})(?:\.\d{1,99})?(?:[eE][+-]?\d{1,2})?$/;
const BOOLEAN = /^(?:true|false|yes|no)$/i;
const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?$/;
const EMAIL = /^[^\s@<>(),;:"]+@[^\s@.]+(?:\.[^\s@.]+)+$/;
const ADDRESS = /^https?:\/\/[^\s/?#]\S*$/i;
const THREE_NUMBERS = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$/;

/** Of so many values some may be wrong: to find those is what a schema is for. */
const ONE_WRONG_IN = 5;
const STARTS_LIKE_A_NUMBER = /^[+-]?[\d.,]/;

/** The type that fits nearly all of the values. A text that only looks like a number, such as 00123, stays one. */
export function guess(values: string[]): Guess {
  const texts = values.map((value) => value.trim()).filter((value) => value !== "");
  const nothing = [...new Set(texts.filter((text) => NOTHING.has(text.toLowerCase())))];
  const rest = texts.filter((text) => !NOTHING.has(text.toLowerCase()));
  const [type, format] = rest.length > 0 ? kind(rest) : (["STRING", ""] as const);
  return { type, format, nullValues: type === "STRING" ? [] : nothing };
}

function kind(texts: string[]): readonly [FieldType, string] {
  /** Whether `fits` is true of nearly all, and none of the others speaks for a wider type. */
  const nearlyAll = (fits: (text: string) => boolean, isWider: (text: string) => boolean) => {
    const misfits = texts.filter((text) => !fits(text));
    return misfits.length * ONE_WRONG_IN <= texts.length && !misfits.some(isWider);
  };
  const startsLikeANumber = (text: string) => STARTS_LIKE_A_NUMBER.test(text);
  if (nearlyAll((text) => INTEGER.test(text), startsLikeANumber)) {
    return ["INTEGER", ""];
  }
  if (nearlyAll((text) => NUMBER.test(text), startsLikeANumber)) {
    return ["NUMBER", ""];
  }
  if (texts.every((text) => BOOLEAN.test(text))) {
    return ["BOOLEAN", ""];
  }
  if (nearlyAll((text) => DAY.test(text) && isDay(text), isMoment)) {
    return ["DATE", ""];
  }
  if (nearlyAll(isMoment, () => false)) {
    return ["DATETIME", ""];
  }
  if (
    nearlyAll(
      (text) => EMAIL.test(text),
      () => false,
    )
  ) {
    return ["EMAIL", ""];
  }
  if (
    nearlyAll(
      (text) => ADDRESS.test(text),
      () => false,
    )
  ) {
    return ["URL", ""];
  }
  const format = dayFormat(texts.filter((text) => THREE_NUMBERS.test(text)));
  return format &&
    nearlyAll(
      (text) => THREE_NUMBERS.test(text),
      () => false,
    )
    ? ["DATE", format]
    : ["STRING", ""];
}

function isMoment(text: string): boolean {
  return isDay(MOMENT.exec(text)?.[1] ?? "");
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** How these days are written; null when they are none, or when day and month cannot be told apart. */
function dayFormat(texts: string[]): string | null {
  const found = texts.map((text) => THREE_NUMBERS.exec(text));
  const mark = found[0]?.[2];
  if (!mark || !found.every((one) => one?.[2] === mark)) {
    return null;
  }
  const most = (group: number) => Math.max(...found.map((one) => Number(one![group])));
  const [first, second] = [most(1), most(3)];
  if (second <= 12 && first <= 31 && (first > 12 || mark === ".")) {
    return `%d${mark}%m${mark}%Y`;
  }
  return first <= 12 && second <= 31 && second > 12 ? `%m${mark}%d${mark}%Y` : null;
}
