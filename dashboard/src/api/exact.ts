const STRING_OR_NUMBER = /"(?:[^"\\]|\\[^])*(?:"|\\?$)|-?\d[\d.eE+-]*/g; // a text that breaks off is read once, too

/**
 * The JSON text with each number that JavaScript would write differently as a string: `0.10`, or one of 30 digits.
 *
 * Records are shown as they are loaded, to the last digit.
 */
export function withExactNumbers(json: string): string {
  return json.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"${token}"`,
  );
}
