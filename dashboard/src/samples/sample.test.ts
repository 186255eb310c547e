import { describe, expect, it } from "vitest";

import { SAMPLE_BYTES } from "./cut";
import { proposalFor, readSample, sampleBytes } from "./sample";

/** Each proposed field as "name <- source: TYPE", with ? where it may be missing. */
async function proposed(text: string | Uint8Array<ArrayBuffer>, filename: string) {
  const { fields, ...others } = proposalFor(await readSample(new File([text], filename)));
  return { ...others, fields: fields.map(({ name, source, type, required }) => `${name} <- ${source}: ${type}${required ? "" : "?"}`) };
}

describe("a proposal", () => {
  it("takes the header of a CSV file, whatever its delimiter", async () => {
    const fields = ["order_no <- Order No: INTEGER", "e_mail <- E-Mail: EMAIL", "betrag <- Betrag (€): NUMBER", "note <- Note: STRING?"];
    for (const mark of [",", ";", "|"]) {
      const lines = [
        ["Order No", "E-Mail", "Betrag (€)", "Note"],
        ["1", "a@b.example", "1.5", ""],
        ["2", "c@d.example", "2", "x"],
      ];
      expect((await proposed(lines.map((line) => line.join(mark)).join("\n"), "a.csv")).fields).toEqual(fields);
    }
  });

  it("leaves a column without a header out, and requires nothing for which a word stands in for nothing", async () => {
    expect((await proposed("a;n;\n1;2;\n3;N/A;\n", "a.csv")).fields).toEqual(["a <- a: INTEGER", "n <- n: INTEGER?"]);
  });

  it("takes the tab of a TSV file", async () => {
    expect((await proposed("a,1\tb\n1,5\ttrue\n", "a.tsv")).fields).toEqual(["a_1 <- a,1: STRING", "b <- b: BOOLEAN"]);
  });

  it("takes a header without records", async () => {
    expect((await proposed("a,b\n", "a.csv")).fields).toEqual(["a <- a: STRING?", "b <- b: STRING?"]);
  });

  it("takes the keys of all records in JSON, with dots into objects, and finds the array", async () => {
    const text = JSON.stringify({
      meta: { page: 1 },
      data: {
        rows: [
          { id: 1, at: { day: "2026-01-31" }, tags: [1] },
          { id: 2, at: null, web: "https://x.example/" },
        ],
      },
    });
    expect(await proposed(text, "a.json")).toEqual({
      recordPath: "data.rows",
      encoding: "",
      fields: ["id <- id: INTEGER", "at_day <- at.day: DATE?", "at <- at: STRING?", "web <- web: URL?"],
    });
  });

  it("takes the lines of NDJSON", async () => {
    expect((await proposed('{"n":1e3,"t":"2026-01-31T10:00:00Z"}\n{"n":2,"t":"2026-01-31 10:00:00+02:00"}\n', "a.ndjson")).fields).toEqual([
      "n <- n: NUMBER",
      "t <- t: DATETIME",
    ]);
  });

  it("takes elements and attributes of XML, and names the record where it has to be named", async () => {
    const record = (id: number) =>
      `<x:order xmlns:x="u" id="${id}"><name>A &amp; B</name><by><mail kind="work">a@b.example</mail></by></x:order>`;
    const fields = ["id <- @id: INTEGER", "name <- name: STRING", "by_mail_kind <- by/mail/@kind: STRING", "by_mail <- by/mail: EMAIL"];
    expect(await proposed(`<orders>${record(1)}${record(2)}</orders>`, "a.xml")).toEqual({ recordPath: "", encoding: "", fields });
    expect(await proposed(`<r><title>x</title><orders>${record(1)}${record(2)}</orders></r>`, "a.xml")).toEqual({
      recordPath: "order",
      encoding: "",
      fields,
    });
  });

  it("does not mind that XML breaks off, whatever stands before the records", async () => {
    const record = (id: number) => `<order id="${id}"><long>${"A".repeat(500)}</long><name>A</name></order>`;
    const text = `<r><head><t>1</t></head><list>${Array.from({ length: 1_000 }, (_, id) => record(id)).join("")}</list></r>`;
    expect(await proposed(text, "a.xml")).toEqual({
      recordPath: "order",
      encoding: "",
      fields: ["id <- @id: INTEGER", "long <- long: STRING", "name <- name: STRING"],
    });
  });

  it("names an encoding where the bytes are no UTF-8", async () => {
    const text = new Uint8Array([0x4e, 0x61, 0xef, 0x76, 0x0a, 0x78, 0x0a]); // Naïv in Latin 1
    expect(await proposed(text, "a.csv")).toEqual({ recordPath: "", encoding: "windows-1252", fields: ["naiv <- Naïv: STRING"] });
  });

  it("tells a format by its content where the name does not", async () => {
    expect((await readSample(new File(['{"a":1}\n{"a":2}\n'], "a.txt"))).format).toBe("NDJSON");
    expect((await readSample(new File(['{"a":[{}]}'], "a.txt"))).format).toBe("JSON");
    expect((await readSample(new File(["<a/>"], "a"))).format).toBe("XML");
    expect((await readSample(new File(["a\tb\n"], "a.txt"))).format).toBe("TSV");
    expect((await readSample(new File(["a;b\n"], "a.dat"))).format).toBe("CSV");
  });
});

describe("reading", () => {
  it("reads no more than a sample of a large file, and cuts it at a record's end", async () => {
    const file = new File(["a,b\n" + "12345,67890\n".repeat(100_000)], "a.csv");
    const sample = await readSample(file);
    expect(sample.whole).toBe(false);
    expect(sample.head.length).toBe(SAMPLE_BYTES);
    const bytes = sampleBytes(sample, {
      encoding: "",
      recordPath: "",
      delimiter: "",
      quote: '"',
      escape: "",
      comment: "",
      skipLines: 0,
      header: true,
    })!;
    expect(bytes.length).toBe(SAMPLE_BYTES - ((SAMPLE_BYTES - 4) % 12));
  });

  it("sends a small file as it is, however it ends", async () => {
    const sample = await readSample(new File(["a,b\n1,"], "a.csv"));
    expect(
      sampleBytes(sample, { encoding: "", recordPath: "", delimiter: "", quote: '"', escape: "", comment: "", skipLines: 0, header: true }),
    ).toBe(sample.head);
  });

  it("says what is no text", async () => {
    await expect(readSample(new File(["PK\u0003\u0004abc"], "a.xlsx"))).rejects.toThrow("Excel workbook");
    await expect(readSample(new File([], "a.csv"))).rejects.toThrow("empty");
  });
});
