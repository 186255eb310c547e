import { useQuery } from "@urql/preact";
import { useRef } from "preact/hooks";

import { useKept } from "../../api/kept";
import { inWords } from "../../api/problems";
import { useAskAgain, useRefresh } from "../../api/refresh";
import { JobErrorsDocument, type JobDetailFragment } from "../../gql/operations";
import { Notice } from "../../parts/notice";
import { Pager, usePages } from "../../parts/pager";
import { Plain } from "../../parts/plain";
import { TableFrame } from "../../parts/table-frame";
import { codeInWords, isFinal } from "../../words";
import { ErrorLine } from "./error-line";
import { filterOf, type ErrorGroup } from "./error-groups";

const PAGE = 50;
const REFRESH_MS = 3_000;

interface Props {
  job: JobDetailFragment;
  chosen: Pick<ErrorGroup, "field" | "code"> | null;
  /** All errors are to be shown again. */
  onAll: () => void;
}

/** The errors in the order of the file, all of them or those of one bar. */
export function ErrorTable({ job, chosen, onAll }: Props) {
  const filter = filterOf(chosen);
  const pages = usePages(JSON.stringify(filter));
  const [{ data, error, fetching }, ask] = useQuery({
    query: JobErrorsDocument,
    variables: { id: job.id, first: PAGE, after: pages.after, filter },
  });
  const list = useKept(data?.job?.errors);
  const mayGrow = !list?.pageInfo.hasNextPage && !isFinal(job.status);
  const askAnew = () => ask({ requestPolicy: "network-only" });
  useRefresh(askAnew, mayGrow ? REFRESH_MS : 0);
  useAskAgain(askAnew, job.status);
  const top = useRef<HTMLHeadingElement>(null);
  const isRetry = job.parent != null;

  return (
    <>
      <div class="row apart table-head">
        <h3 ref={top} tabIndex={-1}>
          {chosen ? (
            <>
              {chosen.field === null ? "Whole record" : <Plain text={chosen.field} />}: {codeInWords(chosen.code)}
            </>
          ) : (
            "All errors"
          )}
        </h3>
        {chosen && (
          <button type="button" onClick={() => (onAll(), top.current?.focus())}>
            Show all errors
          </button>
        )}
      </div>
      {error && <Notice kind="bad">{inWords(error)}</Notice>}
      <TableFrame label="Table of errors" busy={fetching}>
        <table class="errors">
          <thead>
            <tr>
              <th scope="col" class="number">
                Record <span class="counted">counted from 1</span>
              </th>
              {isRetry && (
                <th scope="col" class="number">
                  In the first file <span class="counted">counted from 1</span>
                </th>
              )}
              <th scope="col" class="number">
                Line
              </th>
              <th scope="col">Field</th>
              <th scope="col">What was expected</th>
              <th scope="col">What stood there</th>
            </tr>
          </thead>
          <tbody>
            {list?.nodes.map((one, index) => (
              <ErrorLine error={one} isRetry={isRetry} key={`${one.recordIndex} ${index}`} />
            ))}
          </tbody>
        </table>
      </TableFrame>
      <Pager pages={pages} info={list?.pageInfo} label="errors" />
    </>
  );
}
