import type { CombinedError } from "@urql/core";

import type { UserErrorsFragment } from "../gql/operations";

/** What went wrong with an operation, and what to do, for a person. */
export function inWords(error: CombinedError): string {
  if (error.graphQLErrors.length > 0) {
    return error.graphQLErrors.map(({ message }) => message).join(" ");
  }
  const status = (error.response as Response | undefined)?.status;
  return status
    ? `Something between this page and Sluice answered ${status}. Try again; if it stays so, ask who runs this server.`
    : "The server cannot be reached. Is it running, and are you online? Try again.";
}

/** What the server asks to be put right; null when nothing. */
export function asked(errors: Pick<UserErrorsFragment, "message">[] | undefined): string | null {
  return errors?.length ? errors.map(({ message }) => message).join(" ") : null;
}
