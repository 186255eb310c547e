/** The partner's schemas. */
export function SchemaList() {
  return (
    <main id="main" tabIndex={-1}>
      <h1>Schemas</h1>
    </main>
  );
}
