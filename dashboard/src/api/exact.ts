/**
 * The JSON text with each number that JavaScript would write differently as a string: `0.10`, or one of 30 digits.
 *
 * Records are shown as they are loaded, to the last digit.
 */
export function withExactNumbers(json: string): string {
  const stringOrNumber = /"|-?\d[\d.eE+-]*/g;
  let exact = "";
  let done = 0;
  for (let found = stringOrNumber.exec(json); found; found = stringOrNumber.exec(json)) {
    const [token] = found;
    if (token === '"') {
      stringOrNumber.lastIndex = stringEnd(json, found.index);
    } else if (String(Number(token)) !== token) {
      exact += `${json.slice(done, found.index)}"${token}"`;
      done = stringOrNumber.lastIndex;
    }
  }
  return exact + json.slice(done);
}

/** Behind the string that begins at `start`. A pattern for all of it overflows the stack where a value has megabytes. */
function stringEnd(json: string, start: number): number {
  let end = start;
  let backslashes: number;
  do {
    end = json.indexOf('"', end + 1);
    for (backslashes = 0; end > 0 && json[end - 1 - backslashes] === "\\"; backslashes += 1);
  } while (backslashes % 2 === 1);
  return end === -1 ? json.length : end + 1;
}
