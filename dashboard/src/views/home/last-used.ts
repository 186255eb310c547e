import { keep, kept } from "../../storage";

/** Which schema a partner has sent with last, by its name: a newer version of it is meant, too. */

const prefix = "sluice.last-schema.";

export function lastUsed(partnerId: string): string | null {
  return kept("localStorage", prefix + partnerId);
}

export function remember(partnerId: string, schemaName: string): void {
  keep("localStorage", prefix + partnerId, schemaName);
}
