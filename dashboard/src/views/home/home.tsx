import { useSchemaChoices } from "../../api/all-schemas";
import { JobList } from "./job-list";
import { Send } from "./send";

/** What most people come for: send a file, and see what became of those before. */
export function Home() {
  const { schemas, problem } = useSchemaChoices();
  return (
    <main id="main" tabIndex={-1} class="stack">
      <Send schemas={schemas} problem={problem} />
      <JobList schemas={schemas} />
    </main>
  );
}
