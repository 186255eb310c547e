import { describe, expect, it } from "vitest";

import type { WholeSchemaFragment } from "../../gql/operations";
import { BLANK, reduce, type Draft, type DraftField } from "./draft";
import { fromSchema } from "./from-schema";
import { fromLines, toLines } from "./lines";
import { controlId, firstControl, placed, unaskable } from "./problems";
import { toInput } from "./to-input";

/** A draft with a field for each of these. */
function draftOf(...fields: Partial<DraftField>[]): Draft {
  return fields.reduce<Draft>(
    (draft, changes) => reduce(reduce(draft, { do: "add-field" }), { do: "change-field", key: draft.nextKey, changes }),
    { ...BLANK, name: "Orders", fields: [] },
  );
}

describe("the form", () => {
  it("moves, removes and adds fields, each with a key of its own", () => {
    const draft = draftOf({ name: "a" }, { name: "b" }, { name: "c" });
    const [a, , c] = draft.fields;
    const names = (changed: Draft) => changed.fields.map(({ name }) => name).join("");
    expect(names(reduce(draft, { do: "move-field", key: c!.key, by: -1 }))).toBe("acb");
    expect(reduce(draft, { do: "move-field", key: a!.key, by: -1 }).fields).toEqual(draft.fields);
    const fewer = reduce(draft, { do: "remove-field", key: c!.key });
    expect(names(fewer)).toBe("ab");
    expect(reduce(fewer, { do: "add-field" }).fields.at(-1)!.key).not.toBe(c!.key);
  });
});

describe("the input", () => {
  it("leaves out what is as it would be anyway", () => {
    expect(toInput(draftOf({ name: "a" }))).toEqual({ name: "Orders", fields: [{ name: "a", type: "STRING" }] });
  });

  it("has only rules that the type has", () => {
    const rules = { minLength: "1", maxLength: "5", min: "1", max: "5", format: "%d" };
    expect(toInput(draftOf({ name: "a", ...rules })).fields[0]).toEqual({ name: "a", type: "STRING", minLength: 1, maxLength: 5 });
    expect(toInput(draftOf({ name: "a", type: "INTEGER", ...rules })).fields[0]).toEqual({ name: "a", type: "INTEGER", min: 1, max: 5 });
    expect(toInput(draftOf({ name: "a", type: "DATE", ...rules })).fields[0]).toEqual({
      name: "a",
      type: "DATE",
      min: "1",
      max: "5",
      format: "%d",
    });
    expect(toInput(draftOf({ name: "a", type: "BOOLEAN", ...rules })).fields[0]).toEqual({ name: "a", type: "BOOLEAN" });
  });

  it.each([
    ["0.1", 0.1],
    ["0.10", "0.10"],
    ["9007199254740993", "9007199254740993"],
    ["-5", -5],
    ["1e400", "1e400"],
    ["abc", "abc"],
  ])("keeps every digit of %s", (text, sent) => {
    expect(toInput(draftOf({ name: "a", type: "NUMBER", min: text, hasDefault: true, default: text })).fields[0]).toMatchObject({
      min: sent,
      default: sent,
    });
  });

  it("has texts as defaults of texts, and booleans of booleans", () => {
    const given = (field: Partial<DraftField>) => toInput(draftOf({ name: "a", hasDefault: true, ...field })).fields[0]!.default;
    expect(given({ default: "5" })).toBe("5");
    expect(given({ default: "" })).toBe("");
    expect(given({ type: "BOOLEAN", default: "true" })).toBe(true);
    expect(given({ type: "BOOLEAN", default: "no" })).toBe("no");
  });

  it("says what means missing only where it differs", () => {
    const given = (field: Partial<DraftField>) => toInput(draftOf({ name: "a", ...field })).fields[0]!.nullValues;
    expect(given({})).toBeUndefined();
    expect(given({ nullValues: "N/A\n-" })).toEqual(["", "N/A", "-"]);
    expect(given({ emptyIsMissing: false })).toEqual([]);
  });
});

const SAVED: Omit<WholeSchemaFragment, "id" | "version" | "createdAt"> = {
  name: "Orders",
  recordPath: "data.orders",
  encoding: "utf-16",
  unknownFields: "REJECT",
  csv: { delimiter: "\t", quote: "", escape: "\\", header: false, skipLines: 2, comment: "#" },
  fields: [
    {
      name: "a",
      source: "A",
      type: "NUMBER",
      required: false,
      default: "0.10",
      nullValues: ["", "-", " x"],
      trim: false,
      enum: ["1", ""],
      minLength: null,
      maxLength: null,
      pattern: " [0-9]+",
      min: 0,
      max: "9223372036854775807",
      format: null,
    },
  ],
};

it("is the same again when a version is loaded into the form", () => {
  const { csv, ...others } = SAVED;
  const { minLength, maxLength, format, ...field } = SAVED.fields[0]!;
  expect(toInput(fromSchema(SAVED))).toEqual({ ...others, csv, fields: [field] });
  const odd = { ...SAVED, fields: [{ ...SAVED.fields[0]!, nullValues: ["-"] }] };
  expect(toInput(fromSchema(odd)).fields[0]!.nullValues).toEqual(["-"]);
});

it("keeps texts as lines, also those that cannot be seen", () => {
  const texts = ["EUR", "", " x ", 'say "hi"', '"', "two\nlines", "ä"];
  expect(fromLines(toLines(texts))).toEqual(texts);
  expect(fromLines("a\n\n  b \n")).toEqual(["a", "b"]);
  expect(fromLines('"open')).toEqual(['"open']);
});

describe("what has to be put right", () => {
  const draft = draftOf({ name: "a" }, { name: "b", type: "INTEGER" });
  const second = draft.fields[1]!.key;

  it("stands at its control", () => {
    expect(controlId(draft, ["input", "name"])).toBe("schema-name");
    expect(controlId(draft, ["input", "fields", "1", "pattern"])).toBe(`field-${second}-pattern`);
    expect(controlId(draft, ["input", "fields", "1", "min"])).toBe(`field-${second}-min`);
    expect(controlId(draft, ["input", "csv", "skipLines"])).toBe("csv-skipLines");
    expect(controlId(draft, ["input", "recordPath"])).toBe("schema-recordPath");
  });

  it("stands at the top where it has none", () => {
    expect(controlId(draft, ["input", "fields"])).toBe("");
    expect(controlId(draft, ["input", "fields", "1", "minLength"])).toBe("");
    expect(controlId(draft, ["input", "fields", "7", "name"])).toBe("");
    expect(controlId(draft, [])).toBe("");
  });

  it("is gone to in the order of the form", () => {
    const problems = placed(draft, [
      { field: ["input", "csv", "quote"], message: "c" },
      { field: ["input", "fields", "1", "name"], message: "b" },
      { field: ["input", "fields", "1", "name"], message: "b2" },
      { field: ["input", "name"], message: "a" },
    ]);
    expect(firstControl(draft, problems)).toBe("schema-name");
    expect(problems.get(`field-${second}-name`)).toBe("b b2");
    expect(firstControl(draft, placed(draft, [{ message: "all" }]))).toBeNull();
  });

  it("is a number that is none, before anybody is asked", () => {
    expect(unaskable(draftOf({ name: "a", minLength: "x" })).size).toBe(1);
    expect(unaskable(draftOf({ name: "a", maxLength: "-1" })).size).toBe(1);
    expect(unaskable(draftOf({ name: "a", maxLength: "3000000000" })).size).toBe(1);
    expect(unaskable(draftOf({ name: "a", type: "DATE", maxLength: "x" })).size).toBe(0);
    expect(unaskable({ ...BLANK, csv: { ...BLANK.csv, skipLines: "1.5" } }).size).toBe(1);
  });
});
