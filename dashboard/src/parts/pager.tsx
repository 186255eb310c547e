import { useState } from "preact/hooks";

/** Cursors of the pages on the way to this one; the first page has none. */
export interface Pages {
  after: string | null;
  number: number;
  /** Whether there has been a second one: while the first is on its way again, what is shown is the last. */
  several: boolean;
  next: (endCursor: string | null | undefined) => void;
  back: () => void;
}

/** Pages forward by keyset, and back the way one came. Starts anew whenever `of` is another list. */
export function usePages(of: string): Pages {
  const [state, setState] = useState<{ of: string; cursors: string[]; several: boolean }>({ of, cursors: [], several: false });
  const { cursors, several } = state.of === of ? state : { cursors: [], several: false };
  const set = (changed: string[]) => setState({ of, cursors: changed, several: several || changed.length > 0 });
  return {
    after: cursors.at(-1) ?? null,
    number: cursors.length + 1,
    several,
    next: (endCursor) => set(withNext(cursors, endCursor)),
    back: () => set(cursors.slice(0, -1)),
  };
}

/** The cursors with one more page. A page that is not there yet cannot be left: what is shown still is the one before it, with its cursor. */
export function withNext(cursors: string[], endCursor: string | null | undefined): string[] {
  return endCursor && endCursor !== cursors.at(-1) ? [...cursors, endCursor] : cursors;
}

interface Props {
  pages: Pages;
  /** Of the page that is shown. */
  info: { hasNextPage: boolean; endCursor?: string | null } | undefined;
  /** What it leads through: "errors". */
  label: string;
}

/** Leads through a list; not there when all of it is on one page. */
export function Pager({ pages, info, label }: Props) {
  const isFirst = pages.number === 1;
  const isLast = !info?.hasNextPage;
  if (isFirst && isLast && !pages.several) {
    return null;
  }
  return (
    <nav class="row pager" aria-label={`Pages of ${label}`}>
      {/* At an end they keep the focus, which a disabled button would lose. */}
      <button type="button" aria-disabled={isFirst} onClick={() => isFirst || pages.back()}>
        Previous
      </button>
      <span aria-live="polite">Page {pages.number}</span>
      <button type="button" aria-disabled={isLast} onClick={() => isLast || pages.next(info?.endCursor)}>
        Next
      </button>
    </nav>
  );
}
