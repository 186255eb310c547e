/** How a file's bytes become characters, found as the server finds it: the schema's word, else the mark, else UTF-8. */
export interface Encoding {
  /** As TextDecoder calls it. */
  label: string;
  /** Bytes of the smallest unit: 2 in UTF-16. */
  width: 1 | 2;
  bomBytes: number;
}

const UTF8: Encoding = { label: "utf-8", width: 1, bomBytes: 0 };
const DECLARED = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/;
const MOSTLY_NUL = 0.3;
const LOOKED_AT = 4096;

/** The encoding of a file of which `head` is the beginning. `declared`: what the schema says. */
export function encodingOf(head: Uint8Array, declared: string | null): Encoding {
  const marked = byMark(head);
  if (declared === "utf-16") {
    return marked?.width === 2 ? marked : { label: head[0] === 0 ? "utf-16be" : "utf-16le", width: 2, bomBytes: 0 };
  }
  if (declared && declared !== "utf-8") {
    return { label: declared, width: 1, bomBytes: 0 };
  }
  return marked && (marked.width === 1 || !declared) ? marked : UTF8;
}

/** What a schema should say of this file's encoding; null when it need not say anything. */
export function encodingToDeclare(head: Uint8Array): string | null {
  const looked = head.subarray(0, LOOKED_AT);
  if (byMark(head)) {
    return null;
  }
  const start = units(looked.subarray(0, 200), UTF8);
  if (DECLARED.test(start)) {
    return null;
  }
  if (looked.filter((byte) => byte === 0).length > MOSTLY_NUL * looked.length) {
    return "utf-16";
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }); // the last character may be cut in two
    return null;
  } catch {
    return "windows-1252";
  }
}

/** The text of bytes that begin where the file does. XML may say itself in which encoding it is. */
export function decoded(bytes: Uint8Array, encoding: Encoding): string {
  const own = encoding.width === 1 ? DECLARED.exec(units(bytes.subarray(0, 200), encoding))?.[1] : undefined;
  const body = bytes.subarray(encoding.bomBytes);
  return decoderFor(own ?? encoding.label, encoding.label).decode(body, { stream: true });
}

/**
 * The bytes as a string in which each character is one unit, so that a place in it is a place in the bytes.
 *
 * All that a cut looks at is ASCII, which is the same unit in each of the encodings.
 */
export function units(bytes: Uint8Array, { width, bomBytes, label }: Encoding): string {
  const body = bytes.subarray(bomBytes);
  if (width === 2) {
    return new TextDecoder(label).decode(body.subarray(0, body.length - (body.length % 2)));
  }
  let text = "";
  for (let position = 0; position < body.length; position += 8192) {
    text += String.fromCharCode(...body.subarray(position, position + 8192));
  }
  return text;
}

/** A text as it stands among `units`. */
export function inUnits(text: string, encoding: Encoding): string {
  return encoding.label === "utf-8" ? String.fromCharCode(...new TextEncoder().encode(text)) : text;
}

/** The bytes of what `units` gave. */
export function bytesOf(text: string, { width, label }: Encoding): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * width);
  const view = new DataView(bytes.buffer);
  for (let position = 0; position < text.length; position += 1) {
    if (width === 2) {
      view.setUint16(position * 2, text.charCodeAt(position), label === "utf-16le");
    } else {
      bytes[position] = text.charCodeAt(position);
    }
  }
  return bytes;
}

function byMark(head: Uint8Array): Encoding | null {
  const [first, second, third] = head;
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return { label: "utf-8", width: 1, bomBytes: 3 };
  }
  if (first === 0xff && second === 0xfe) {
    return { label: "utf-16le", width: 2, bomBytes: 2 };
  }
  return first === 0xfe && second === 0xff ? { label: "utf-16be", width: 2, bomBytes: 2 } : null;
}

function decoderFor(wanted: string, otherwise: string): TextDecoder {
  try {
    return new TextDecoder(wanted);
  } catch {
    return new TextDecoder(otherwise); // an encoding of which the browser knows nothing
  }
}
