/** A record's place as people count: the first is 1. (The API, and the files to download, count from 0.) */
export function ordinal(index: string): string {
  return String(BigInt(index) + 1n);
}
