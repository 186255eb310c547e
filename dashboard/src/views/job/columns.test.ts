import { describe, expect, it } from "vitest";

import { columnsOf, isNumeric, textOf } from "./columns";

const FIELDS = [
  { name: "number", type: "INTEGER" as const },
  { name: "email", type: "EMAIL" as const },
];

describe("the columns of the records", () => {
  it("are the schema's, in its order, whatever the order in a record", () => {
    expect(columnsOf(FIELDS, [{ data: { email: "a@b.c", number: 1 } }]).map(({ name }) => name)).toEqual(["number", "email"]);
  });

  it("have behind them what a retry's other version of the schema added", () => {
    const columns = columnsOf(FIELDS, [{ data: { number: 1, phone: "1" } }, { data: { phone: "2", fax: "3" } }]);
    expect(columns.map(({ name }) => name)).toEqual(["number", "email", "phone", "fax"]);
    expect(columns.map(isNumeric)).toEqual([true, false, false, false]);
  });
});

describe("a value of a record", () => {
  const data = { none: null, empty: "", no: false, zero: 0, digits: "0.10" };

  it("keeps null apart from the empty text, false and 0", () => {
    expect(textOf(data, "none")).toBeNull();
    expect(textOf(data, "missing")).toBeNull();
    expect(textOf(data, "empty")).toBe("");
    expect(textOf(data, "no")).toBe("false");
    expect(textOf(data, "zero")).toBe("0");
  });

  it("is of the record, not of every object", () => {
    expect(textOf({}, "constructor")).toBeNull();
    expect(textOf(JSON.parse('{"__proto__":"x"}'), "__proto__")).toBe("x");
    expect(textOf({}, "__proto__")).toBeNull();
  });

  it("keeps its digits", () => {
    expect(textOf(data, "digits")).toBe("0.10");
  });
});
