import { useQuery } from "@urql/preact";

import { inWords } from "../../api/problems";
import { useRefresh } from "../../api/refresh";
import { SchemaVersionsDocument } from "../../gql/operations";
import { count } from "../../locale";
import { Moment } from "../../parts/moment";
import { Notice } from "../../parts/notice";
import { Pager, usePages } from "../../parts/pager";
import { to } from "../../routes";

const PAGE = 20;

/** The versions of a name, newest first; `shown` is the one that is looked at. */
export function Versions({ name, shown }: { name: string; shown: string }) {
  const pages = usePages(name);
  const variables = { name, first: PAGE, after: pages.after };
  const [{ data, error }, ask] = useQuery({ query: SchemaVersionsDocument, variables });
  useRefresh(() => ask({ requestPolicy: "network-only" }));
  return (
    <nav aria-labelledby="versions-title" class="panel">
      <h2 id="versions-title">Versions</h2>
      {error && !data && <Notice kind="bad">{inWords(error)}</Notice>}
      <ul class="bare versions">
        {data?.recordSchemas.nodes.map(({ id, version, createdAt }) => (
          <li key={id}>
            <a href={to({ view: "schema", id })} aria-current={id === shown ? "page" : undefined}>
              Version {count(version)}
            </a>{" "}
            <span class="hint">
              <Moment at={createdAt} />
            </span>
          </li>
        ))}
      </ul>
      <Pager pages={pages} info={data?.recordSchemas.pageInfo} label="versions" />
    </nav>
  );
}
