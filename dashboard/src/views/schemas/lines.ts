/**
 * Texts as lines of a text area, one on each, and back. One that could not be seen there, or would be two lines, is
 * written as in JSON: "" is the empty text.
 */
export function toLines(texts: readonly string[]): string {
  return texts.map((text) => (text === "" || text !== text.trim() || /^"|[\r\n]/.test(text) ? JSON.stringify(text) : text)).join("\n");
}

export function fromLines(lines: string): string[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map(fromLine);
}

function fromLine(line: string): string {
  if (line.startsWith('"')) {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === "string" ? value : line;
    } catch {
      return line;
    }
  }
  return line;
}
