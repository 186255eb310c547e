import { to } from "../../routes";

/** The same for an id that nothing has as for another partner's: neither is told from the other. */
export function NoSuchSchema() {
  return (
    <main id="main" tabIndex={-1}>
      <h1>There is nothing here</h1>
      <p>
        No schema of yours has this address. <a href={to({ view: "schemas" })}>Go to your schemas</a>.
      </p>
    </main>
  );
}
