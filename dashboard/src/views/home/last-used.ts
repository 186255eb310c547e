/** Which schema a partner has sent with last, by its name: a newer version of it is meant, too. */

const prefix = "sluice.last-schema.";

export function lastUsed(partnerId: string): string | null {
  return localStorage.getItem(prefix + partnerId);
}

export function remember(partnerId: string, schemaName: string): void {
  localStorage.setItem(prefix + partnerId, schemaName);
}
