/** One version of a schema. */
export function SchemaView({ id }: { id: string }) {
  return (
    <main id="main" tabIndex={-1}>
      <h1>{id}</h1>
    </main>
  );
}
