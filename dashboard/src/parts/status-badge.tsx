import type { JobStatus } from "../gql/operations";
import { STATUS } from "../words";

/** A job's state as a word in its colour. */
export function StatusBadge({ status }: { status: JobStatus }) {
  return <span class={`badge ${status.toLowerCase()}`}>{STATUS[status]}</span>;
}
