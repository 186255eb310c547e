/** A form to make a schema, or the next version of the one with the id `from`. */
export function NewSchema({ from }: { from: string | null }) {
  return (
    <main id="main" tabIndex={-1}>
      <h1>{from ?? "New schema"}</h1>
    </main>
  );
}
