import { describe, expect, it } from "vitest";

import type { FileFormat } from "../gql/operations";
import { cutSample, type Layout } from "./cut";

const PLAIN: Layout = { encoding: "", recordPath: "", delimiter: "", quote: '"', escape: "", comment: "", skipLines: 0, header: true };

/** What is left of a text's UTF-8. */
function cut(text: string, format: FileFormat, layout: Partial<Layout> = {}): string | null {
  const sample = cutSample(new TextEncoder().encode(text), format, { ...PLAIN, ...layout });
  return sample && new TextDecoder("utf-8", { ignoreBOM: true }).decode(sample);
}

describe("CSV", () => {
  it("ends with the last whole record", () => {
    expect(cut("a,b\n1,2\n3,4\n5,", "CSV")).toBe("a,b\n1,2\n3,4\n");
    expect(cut("a,b\r\n1,2\r\n3", "CSV")).toBe("a,b\r\n1,2\r\n");
    expect(cut("a,b\r1,2\r3", "CSV")).toBe("a,b\r1,2\r");
  });

  it("takes a line break in quotes for a part of the value", () => {
    expect(cut('a,b\n1,"x ""y"" z"\n2,"two\nlines"\n3,"not\nclosed', "CSV")).toBe('a,b\n1,"x ""y"" z"\n2,"two\nlines"\n');
  });

  it("takes a quote inside a value for nothing else", () => {
    expect(cut('size;name\n5";pipe\n6";"a\nb"\n7', "CSV")).toBe('size;name\n5";pipe\n6";"a\nb"\n');
  });

  it("knows other quotes, escapes, comments and lines before the header", () => {
    expect(cut("a,b\n1,'x\ny'\n2,'z\n", "CSV", { quote: "'" })).toBe("a,b\n1,'x\ny'\n");
    expect(cut('a,b\n1,"x\\"\ny"\n2,"z\n', "CSV", { escape: "\\" })).toBe('a,b\n1,"x\\"\ny"\n');
    expect(cut('a,b\n# "a comment\n1,2\n3', "CSV", { comment: "#" })).toBe('a,b\n# "a comment\n1,2\n');
    expect(cut('"a report\na,b\n1,2\n3', "CSV", { skipLines: 1 })).toBe('"a report\na,b\n1,2\n');
    expect(cut('a,b\n"1,"2\n3', "CSV", { quote: "" })).toBe('a,b\n"1,"2\n');
  });

  it("follows a sep= line, and the schema before that", () => {
    expect(cut('sep=|\na|b,c,d\n0|0\n1|"2\n3', "CSV")).toBe("sep=|\na|b,c,d\n0|0\n");
    expect(cut('a^b\n1^"2\n3"\n4', "CSV", { delimiter: "^" })).toBe('a^b\n1^"2\n3"\n');
  });

  it("cuts at a line end where a quote is never closed at all", () => {
    expect(cut('a,b\n1,"2\n3,4\n5', "CSV")).toBe('a,b\n1,"2\n3,4\n');
  });

  it("splits TSV by tabs", () => {
    expect(cut('a,x\tb\n0\t0\n1,"\t2\n3', "TSV")).toBe('a,x\tb\n0\t0\n1,"\t2\n');
  });

  it("is nothing where not one record is whole", () => {
    expect(cut("a,b", "CSV")).toBeNull();
    expect(cut("\na,b\n1,2", "CSV")).toBeNull();
    expect(cut("1,2\n3,", "CSV", { header: false })).toBe("1,2\n");
  });
});

describe("NDJSON", () => {
  it("ends with the last whole line", () => {
    expect(cut('{"a":1}\n{"a":2}\n{"a"', "NDJSON")).toBe('{"a":1}\n{"a":2}\n');
  });
});

describe("JSON", () => {
  it("closes the array after its last whole element", () => {
    expect(cut('[{"a":1}, {"a":[2,{}]}, {"a":', "JSON")).toBe('[{"a":1}, {"a":[2,{}]}]');
  });

  it("closes what is around the array, too", () => {
    expect(cut('{"n":1,"data":{"orders":[{"a":1},{"a":2},{"a', "JSON", { recordPath: "data.orders" })).toBe(
      '{"n":1,"data":{"orders":[{"a":1},{"a":2}]}}',
    );
  });

  it("cuts what the schema names, however long others are", () => {
    const text = '{"links":[{"x":1},{"x":2},{"x":3}],"orders":[{"a":1},{"a":2},{"a"';
    expect(cut(text, "JSON", { recordPath: "orders" })).toBe('{"links":[{"x":1},{"x":2},{"x":3}],"orders":[{"a":1},{"a":2}]}');
  });

  it("cuts behind an array that is whole", () => {
    expect(cut('{"orders":[{"a":1}],"log":["long', "JSON", { recordPath: "orders" })).toBe('{"orders":[{"a":1}]}');
  });

  it("is not led astray by brackets, commas and quotes in texts", () => {
    expect(cut('[{"a":"]},{\\""},{"b":"x,y"},{"c":"z]', "JSON")).toBe('[{"a":"]},{\\""},{"b":"x,y"}]');
  });

  it("finds the array where the schema does not name it", () => {
    expect(cut('{"größe":[1,2],"d":[{"ä":1},{"ä":2},{', "JSON")).toBe('{"größe":[1,2],"d":[{"ä":1},{"ä":2}]}');
    expect(cut('{"größe":[{"a":1}],"x":[{"b":1},{"b":2},{', "JSON", { recordPath: "größe" })).toBe('{"größe":[{"a":1}]}');
  });

  it("is nothing where not one element is whole", () => {
    expect(cut('[{"a":"very long', "JSON")).toBeNull();
  });
});

describe("XML", () => {
  it("closes what is open after the last child of the root", () => {
    expect(cut('<?xml version="1.0"?>\n<r a="1>2"><o><i>1</i></o><o><i>2</i></o><o><i>', "XML")).toBe(
      '<?xml version="1.0"?>\n<r a="1>2"><o><i>1</i></o><o><i>2</i></o></r>',
    );
  });

  it("cuts after the element that the schema names, at any depth, whatever its prefix", () => {
    expect(cut("<r><x:list><x:o n='1'/><x:o><i/></x:o><x:o><i/>", "XML", { recordPath: "o" })).toBe(
      "<r><x:list><x:o n='1'/><x:o><i/></x:o></x:list></r>",
    );
  });

  it("reads over comments, CDATA and processing instructions", () => {
    const text = "<r><!-- <o></o> --><o><![CDATA[</o></r>]]></o><?pi </o> ?><o>2</o><!-- </r";
    expect(cut(text, "XML")).toBe("<r><!-- <o></o> --><o><![CDATA[</o></r>]]></o><?pi </o> ?><o>2</o></r>");
  });

  it("does not cut inside a record that has others of its name inside", () => {
    expect(cut("<r><o>1</o><o><o>2</o><p>", "XML", { recordPath: "o" })).toBe("<r><o>1</o></r>");
  });

  it("is nothing where not one record is whole", () => {
    expect(cut("<r><o><i>1</i>", "XML")).toBeNull();
    expect(cut('<r a="><o/>"><o>1', "XML")).toBeNull();
  });
});

describe("encodings", () => {
  it("keeps the mark of UTF-8", () => {
    expect(cut("\ufeffä,b\n1,2\n3", "CSV")).toBe("\ufeffä,b\n1,2\n");
  });

  it.each(["utf-16le", "utf-16be"])("cuts and closes %s in its own units", (label) => {
    const bytes = utf16('\ufeff[{"ä":1},{"ä', label === "utf-16le");
    const sample = cutSample(bytes, "JSON", PLAIN)!;
    expect(new TextDecoder(label).decode(sample)).toBe('[{"ä":1}]');
  });

  it("cuts UTF-16 without a mark where the schema says so", () => {
    const sample = cutSample(utf16("a;b\n1;2\n3", true), "CSV", { ...PLAIN, encoding: "utf-16" })!;
    expect(new TextDecoder("utf-16le").decode(sample)).toBe("a;b\n1;2\n");
  });

  it("cuts bytes of which it need not know what they mean", () => {
    const bytes = new Uint8Array([...bytesOf("a;b\n"), 0xe4, 0xff, 0x3b, 0x80, 0x0a, 0xe4]);
    expect([...cutSample(bytes, "CSV", { ...PLAIN, encoding: "windows-1252" })!]).toEqual([...bytes.subarray(0, 9)]);
    expect([...cutSample(bytes, "CSV", PLAIN)!]).toEqual([...bytes.subarray(0, 9)]);
  });
});

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function utf16(text: string, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  [...text].forEach((character, index) => view.setUint16(index * 2, character.charCodeAt(0), littleEndian));
  return new Uint8Array(view.buffer);
}
