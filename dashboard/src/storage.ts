type Where = "localStorage" | "sessionStorage";

/** What the browser keeps for this page under a name; null where it keeps nothing, or where a person has forbidden that. */
export function kept(where: Where, name: string): string | null {
  try {
    return globalThis[where].getItem(name);
  } catch {
    return null;
  }
}

/** Keeps it, if that is allowed; null: no more. */
export function keep(where: Where, name: string, text: string | null): void {
  try {
    if (text === null) {
      globalThis[where].removeItem(name);
    } else {
      globalThis[where].setItem(name, text);
    }
  } catch {
    // It is for the next time only.
  }
}
