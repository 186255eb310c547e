import { to } from "../routes";

/** The same for an address that leads nowhere as for another partner's: neither is told from the other. */
export function Nowhere() {
  return (
    <main id="main" tabIndex={-1}>
      <h1>There is nothing here</h1>
      <p>
        The address may be mistyped. <a href={to({ view: "home" })}>Go to your files</a>.
      </p>
    </main>
  );
}
