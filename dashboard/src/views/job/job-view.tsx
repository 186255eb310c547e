/** A job, by its id: how far it is, what was wrong, and what can be done about it. */
export function JobView({ id }: { id: string }) {
  return (
    <main id="main" tabIndex={-1}>
      <h1>{id}</h1>
    </main>
  );
}
