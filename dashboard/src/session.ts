import { signal } from "@preact/signals";

import { connect, isRefusal, type Connection } from "./api/client";
import { inWords } from "./api/problems";
import { ViewerDocument, type ViewerQuery } from "./gql/operations";
import { announce } from "./parts/announcer";
import { keep, kept } from "./storage";
import { abandonUploads } from "./uploads";

const KEY = "sluice.key";
/** What can stand in a header at all. */
const SENDABLE = /^[\x21-\x7e]+$/;
const NOT_VALID = "This API key is not valid. Copy all of it, from slc_ to its end; or ask who runs this server for a new one.";
const NO_LONGER_VALID = "Your API key is no longer valid. Sign in with another one.";

/** Who is signed in, and their connection. The key itself lies in this tab's storage alone: no cookie, no other tab. */
export interface Session extends Connection {
  key: string;
  partner: ViewerQuery["viewer"];
}

export const session = signal<Session | null>(null);

/** Why nobody is signed in any more; null when nobody was, or they left themselves. */
export const signedOutBecause = signal<string | null>(null);

/** Signs in. Gives what is wrong, or null when all is well. */
export async function signIn(key: string): Promise<string | null> {
  if (!SENDABLE.test(key)) {
    return NOT_VALID;
  }
  const connection = connect(key, () => refused(key));
  const { data, error } = await connection.client.query(ViewerDocument, {}, { requestPolicy: "network-only" }).toPromise();
  if (!data) {
    connection.close();
    if (!error || isRefusal(error)) {
      keep("sessionStorage", KEY, null);
      return NOT_VALID;
    }
    return inWords(error);
  }
  keep("sessionStorage", KEY, key);
  signedOutBecause.value = null;
  session.value = { ...connection, key, partner: data.viewer };
  return null;
}

/** The key that this tab was signed in with before it was loaded anew. */
export function keptKey(): string | null {
  return kept("sessionStorage", KEY);
}

/** Leaves, and what is on its way with it: it is another partner's business from now on. */
export function signOut(because: string | null = null): void {
  session.value?.close();
  abandonUploads();
  keep("sessionStorage", KEY, null);
  signedOutBecause.value = because;
  session.value = null;
  announce("You are signed out."); // in place of what was said last, which may name a file
}

function refused(key: string): void {
  if (session.value?.key === key) {
    signOut(NO_LONGER_VALID);
  }
}
