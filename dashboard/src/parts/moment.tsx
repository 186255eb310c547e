import { moment } from "../locale";

/** A moment of the API, in the reader's time and words. */
export function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{moment(at)}</time>;
}
