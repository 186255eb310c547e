import { useQuery } from "@urql/preact";

import { useKept } from "../../api/kept";
import { inWords } from "../../api/problems";
import { useAskAgain, useRefresh } from "../../api/refresh";
import { RecordsDocument, type JobDetailFragment } from "../../gql/operations";
import { count } from "../../locale";
import { Notice } from "../../parts/notice";
import { Pager, usePages } from "../../parts/pager";
import { Plain } from "../../parts/plain";
import { TableFrame } from "../../parts/table-frame";
import { Value } from "../../parts/value";
import { isFinal } from "../../words";
import { columnsOf, isNumeric, textOf } from "./columns";
import { ordinal } from "./ordinal";

const PAGE = 50;
const REFRESH_MS = 3_000;

/** The accepted records by the schema's columns. */
export function RecordTable({ job, includeRetries }: { job: JobDetailFragment; includeRetries: boolean }) {
  const pages = usePages(String(includeRetries));
  const [{ data, error, fetching }, ask] = useQuery({
    query: RecordsDocument,
    variables: { id: job.id, first: PAGE, after: pages.after, includeRetries },
  });
  const heard = useKept(data?.job ?? undefined);
  const list = heard?.records;
  const mayGrow = !list?.pageInfo.hasNextPage && !isFinal(job.status);
  const askAnew = () => ask({ requestPolicy: "network-only" });
  useRefresh(askAnew, mayGrow ? REFRESH_MS : 0);
  useAskAgain(askAnew, `${job.status} ${job.discard?.status} ${includeRetries ? job.outstanding : ""}`);
  const columns = heard ? columnsOf(heard.recordSchema.fields, heard.records.nodes) : [];
  const places = includeRetries ? (["originIndex"] as const) : job.parent ? (["index", "originIndex"] as const) : (["index"] as const);

  return (
    <>
      {error && <Notice kind="bad">{inWords(error)}</Notice>}
      {list?.nodes.length === 0 ? (
        <p class="empty">None.</p>
      ) : (
        <TableFrame label="Table of loaded records" busy={fetching}>
          <table class="records">
            <thead>
              <tr>
                {places.map((place) => (
                  <th scope="col" class="number" key={place}>
                    {place === "index" ? "Record" : "In the first file"} <span class="counted">counted from 1</span>
                  </th>
                ))}
                {columns.map((column) => (
                  <th scope="col" class={isNumeric(column) ? "number" : ""} key={column.name}>
                    <Plain text={column.name} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {list?.nodes.map((record) => (
                <tr key={record.originIndex}>
                  {places.map((place, at) =>
                    at === 0 ? (
                      <th scope="row" class="number" key={place}>
                        {count(ordinal(record[place]))}
                      </th>
                    ) : (
                      <td class="number" key={place}>
                        {count(ordinal(record[place]))}
                      </td>
                    ),
                  )}
                  {columns.map((column) => (
                    <td class={isNumeric(column) ? "number" : ""} key={column.name}>
                      <Cell text={textOf(record.data, column.name)} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
      <Pager pages={pages} info={list?.pageInfo} label="records" />
    </>
  );
}

function Cell({ text }: { text: string | null }) {
  if (text !== null) {
    return <Value of={text} />;
  }
  return (
    <span class="absent">
      <span aria-hidden="true">–</span>
      <span class="heard-only">nothing</span>
    </span>
  );
}
