/** How the cells of a CSV file are told apart. */
export interface Dialect {
  delimiter: string;
  /** "": quotes mean nothing. */
  quote: string;
  /** "": a quote is doubled. */
  escape: string;
  /** "": there are no comments. */
  comment: string;
}

/** One record, or a blank line (no cells). `whole`: its line end was there, too. */
export interface Row {
  cells: string[];
  end: number;
  whole: boolean;
}

const DELIMITERS = [",", ";", "\t", "|"];
const SEP_LINE = /^"?sep=(.)"?$/i;

/** The rows from `start` on, in which a record may begin. Quotes count where a cell begins with one. */
export function* rows(text: string, dialect: Dialect, start: number): Generator<Row> {
  let position = start;
  while (position < text.length) {
    const isComment = dialect.comment !== "" && text.startsWith(dialect.comment, position);
    const row = isComment ? { cells: [], ...lineAt(text, position) } : rowAt(text, dialect, position);
    yield row;
    position = row.end;
  }
}

/** Where the header (or the first record) begins, after a `sep=` line and `skipLines` lines; and what the first of these says. */
export function beginning(text: string, skipLines: number): { start: number; announced: string | null } {
  const first = lineAt(text, 0);
  const announced = SEP_LINE.exec(text.slice(0, first.end).trimEnd())?.[1] ?? null;
  let start = 0;
  for (let skipped = Math.max(skipLines, announced === null ? 0 : 1); skipped > 0 && start < text.length; skipped -= 1) {
    start = lineAt(text, start).end;
  }
  return { start, announced };
}

/** The candidate that stands most often in the line at `start`, outside quotes; a comma when none does. */
export function likelyDelimiter(text: string, start: number, quote: string): string {
  let line = text.slice(start, lineAt(text, start).end);
  while (start < text.length && line.trim() === "") {
    start = lineAt(text, start).end;
    line = text.slice(start, lineAt(text, start).end);
  }
  const parts = quote === "" ? [line] : line.split(quote);
  const bare = parts.length % 2 === 1 ? parts.filter((_, index) => index % 2 === 0).join("") : line;
  const times = DELIMITERS.map((mark) => bare.split(mark).length);
  return DELIMITERS[times.indexOf(Math.max(...times))]!;
}

function rowAt(text: string, { delimiter, quote, escape }: Dialect, start: number): Row {
  const cells: string[] = [];
  let cell = "";
  let position = start;
  let isQuoted = false;
  let isStart = true;
  const endCell = () => {
    cells.push(cell);
    cell = "";
    isStart = true;
  };
  while (position < text.length) {
    const character = text[position]!;
    if (escape !== "" && text.startsWith(escape, position)) {
      cell += text[position + escape.length] ?? "";
      position += escape.length + 1;
      isStart = false;
    } else if (quote !== "" && (isQuoted || isStart) && text.startsWith(quote, position)) {
      position += quote.length;
      if (isQuoted && escape === "" && text.startsWith(quote, position)) {
        cell += quote;
        position += quote.length;
      } else {
        isQuoted = !isQuoted;
      }
      isStart = false;
    } else if (!isQuoted && text.startsWith(delimiter, position)) {
      endCell();
      position += delimiter.length;
    } else if (!isQuoted && (character === "\n" || character === "\r")) {
      endCell();
      const isBlank = cells.length === 1 && cells[0]!.trim() === "";
      return { cells: isBlank ? [] : cells, end: lineAt(text, position).end, whole: true };
    } else {
      cell += character;
      position += 1;
      isStart = false;
    }
  }
  endCell();
  return { cells, end: text.length, whole: false };
}

/** Where the line ends that goes on at `start`, its line end included. */
function lineAt(text: string, start: number): { end: number; whole: boolean } {
  for (let position = start; position < text.length; position += 1) {
    if (text[position] === "\n") {
      return { end: position + 1, whole: true };
    }
    if (text[position] === "\r") {
      return { end: position + (text[position + 1] === "\n" ? 2 : 1), whole: true };
    }
  }
  return { end: text.length, whole: false };
}
