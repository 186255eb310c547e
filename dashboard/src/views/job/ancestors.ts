import type { JobLinkFragment } from "../../gql/operations";

type Descendant = { parent?: (JobLinkFragment & Descendant) | null };

/** The jobs of which one is a retry, the nearest first. */
export function ancestors(job: Descendant): JobLinkFragment[] {
  return job.parent ? [job.parent, ...ancestors(job.parent)] : [];
}
