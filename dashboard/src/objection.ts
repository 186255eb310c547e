import { counted, size } from "./locale";
import { FORMATS, formatOf } from "./words";

/** By their names; a format that somebody chooses for one of these does not make text of it. */
const NO_TEXT: [ending: RegExp, what: string][] = [
  [/\.(xls[xmb]?|ods|numbers)$/i, "a spreadsheet program's own file. Save it as CSV there, and choose that file."],
  [/\.(zip|gz|tgz|bz2|xz|zst|7z|rar)$/i, "compressed. Unpack it, and choose the file that is in it."],
  [/\.(pdf|docx?|odt|rtf|png|jpe?g)$/i, "no text that Sluice reads. Choose a CSV, TSV, JSON, NDJSON or XML file."],
];

/** What can be told of a file before any of it is sent. */
export interface Objection {
  message: string;
  /** Whether naming its format is all that it takes. */
  formatUnknown: boolean;
}

/** Why a file cannot be sent as it is; null when it can. */
export function objectionTo(file: Pick<File, "name" | "size">, maxBytes: number): Objection | null {
  if (file.size === 0) {
    return { message: "This file is empty. Choose another one.", formatUnknown: false };
  }
  if (file.size > maxBytes) {
    const message =
      `This file has ${size(file.size)}; ${size(maxBytes)} is the most that this server takes ` +
      `(${counted(file.size - maxBytes, "byte")} too many). Split it, or ask who runs this server for a higher limit.`;
    return { message, formatUnknown: false };
  }
  const other = NO_TEXT.find(([ending]) => ending.test(file.name));
  if (other) {
    return { message: `By its name, this is ${other[1]}`, formatUnknown: false };
  }
  if (!formatOf(file.name)) {
    const known = Object.values(FORMATS)
      .flatMap(({ extensions }) => extensions)
      .join(", ");
    return {
      message: `Its name does not tell what it is (${known}). Say which format it has, if it is one of these.`,
      formatUnknown: true,
    };
  }
  return null;
}
