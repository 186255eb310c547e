import { useState } from "preact/hooks";

/** Cursors of the pages on the way to this one; the first page has none. */
export interface Pages {
  after: string | null;
  number: number;
  next: (endCursor: string | null | undefined) => void;
  back: () => void;
  restart: () => void;
}

/** Pages forward by keyset, and back the way one came. Starts anew whenever `of` is another list. */
export function usePages(of: string): Pages {
  const [state, setState] = useState<{ of: string; cursors: string[] }>({ of, cursors: [] });
  const cursors = state.of === of ? state.cursors : [];
  const set = (changed: string[]) => setState({ of, cursors: changed });
  return {
    after: cursors.at(-1) ?? null,
    number: cursors.length + 1,
    next: (endCursor) => endCursor && set([...cursors, endCursor]),
    back: () => set(cursors.slice(0, -1)),
    restart: () => set([]),
  };
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
  if (pages.number === 1 && !info?.hasNextPage) {
    return null;
  }
  return (
    <nav class="row pager" aria-label={`Pages of ${label}`}>
      <button type="button" disabled={pages.number === 1} onClick={pages.back}>
        Previous
      </button>
      <span>Page {pages.number}</span>
      <button type="button" disabled={!info?.hasNextPage} onClick={() => pages.next(info?.endCursor)}>
        Next
      </button>
    </nav>
  );
}
