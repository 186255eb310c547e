import type { JobDetailFragment } from "../../gql/operations";
import { count, counted } from "../../locale";

type Ended = Pick<JobDetailFragment, "status" | "outstanding"> & {
  progress: Pick<JobDetailFragment["progress"], "recordsRead" | "recordsAccepted" | "recordsRejected">;
  parent?: { id: string } | null;
  discard?: Pick<NonNullable<JobDetailFragment["discard"]>, "status"> | null;
};

/** What is still to be done about a job that has ended and was no dry run. `good`: nothing. */
export interface Outcome {
  good: boolean;
  message: string;
}

const REST = "The file was not read to its end: send a file with the rest.";

/** There is no rest to send: it is the file itself that is not right, or was not wanted. */
function unread(status: Ended["status"]): string {
  return status === "FAILED"
    ? "No record of the file was read: mend the file, and send it again as a whole."
    : "It was cancelled before any record of it was read. To load it, send it again.";
}

/** Whether all of a file is loaded by now, in a sentence. */
export function outcomeOf({ status, outstanding, progress, parent, discard }: Ended): Outcome {
  const { recordsRead, recordsAccepted, recordsRejected } = progress;
  if (outstanding !== "0") {
    const are = outstanding === "1" ? "is" : "are";
    const rest = status === "COMPLETED" ? "" : ` ${REST}`;
    return {
      good: false,
      message: `${count(outstanding)} of ${counted(recordsRead, "record")} ${are} outstanding: rejected, and not loaded by a retry yet.${rest}`,
    };
  }
  if (discard && recordsAccepted !== "0") {
    const next = parent ? "In the file of which this is a retry, it is outstanding." : "To load it, send the file anew.";
    return { good: false, message: `Nothing is outstanding, but what this file had loaded is deleted again. ${next}` };
  }
  if (status !== "COMPLETED") {
    return {
      good: false,
      message:
        recordsRead === "0" ? unread(status) : `Of the ${counted(recordsRead, "record")} that were read, nothing is outstanding. ${REST}`,
    };
  }
  if (recordsRead === "0") {
    return { good: true, message: "The file has no records, so there is nothing to load." };
  }
  return recordsRejected === "0"
    ? { good: true, message: `Everything is loaded: ${counted(recordsRead, "record")}, and none was rejected.` }
    : {
        good: true,
        message: `Everything is loaded: ${counted(recordsAccepted, "record")} by this file, ${count(recordsRejected)} by its retries.`,
      };
}

/** Whether each rejected record can say in the file to download which one it is. */
export function canCarryIndex({
  format,
  recordSchema,
  errorSummary,
}: Pick<JobDetailFragment, "format" | "errorSummary" | "recordSchema">): boolean {
  switch (format) {
    case "CSV":
    case "TSV":
      return recordSchema.csv?.header !== false;
    case "JSON":
    case "NDJSON":
      return !errorSummary.some(({ code }) => code === "NOT_AN_OBJECT" || code === "MALFORMED_RECORD");
    case "XML":
      return true;
  }
}
