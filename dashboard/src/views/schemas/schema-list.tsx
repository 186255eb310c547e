import { useQuery } from "@urql/preact";

import { TRIAL_NAME } from "../../api/all-schemas";
import { inWords } from "../../api/problems";
import { useRefresh } from "../../api/refresh";
import { SchemaPageDocument, type SchemaPageQuery } from "../../gql/operations";
import { count } from "../../locale";
import { Moment } from "../../parts/moment";
import { Notice } from "../../parts/notice";
import { Pager, usePages } from "../../parts/pager";
import { Plain } from "../../parts/plain";
import { to } from "../../routes";

const PAGE = 20;
const NEW = to({ view: "new-schema", from: null });

/** The partner's schemas, each by its newest version. */
export function SchemaList() {
  const pages = usePages("schemas");
  const [{ data, error, fetching }, ask] = useQuery({ query: SchemaPageDocument, variables: { first: PAGE, after: pages.after } });
  useRefresh(() => ask({ requestPolicy: "network-only" }));
  const schemas = data?.recordSchemas.nodes.filter(({ name }) => name !== TRIAL_NAME);
  const isEmpty = schemas?.length === 0 && !fetching && pages.number === 1 && !data?.recordSchemas.pageInfo.hasNextPage;

  return (
    <main id="main" tabIndex={-1}>
      <div class="row apart title">
        <h1>Schemas</h1>
        {!isEmpty && (
          <a class="button primary" href={NEW}>
            New schema
          </a>
        )}
      </div>
      {error && !schemas && <Notice kind="bad">{inWords(error)}</Notice>}
      {isEmpty ? <Empty /> : <Table schemas={schemas} />}
      <Pager pages={pages} info={data?.recordSchemas.pageInfo} label="schemas" />
    </main>
  );
}

function Table({ schemas }: { schemas: SchemaPageQuery["recordSchemas"]["nodes"] | undefined }) {
  return (
    <div class="table-frame" aria-busy={!schemas}>
      <table class="schemas">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Newest version
            </th>
            <th scope="col" class="number">
              Fields
            </th>
            <th scope="col">Saved</th>
          </tr>
        </thead>
        <tbody>
          {schemas?.map(({ id, name, version, fields, createdAt }) => (
            <tr key={id}>
              <th scope="row">
                <a href={to({ view: "schema", id })}>
                  <Plain text={name} />
                </a>
              </th>
              <td class="number">{count(version)}</td>
              <td class="number">{count(fields.length)}</td>
              <td>
                <Moment at={createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Empty() {
  return (
    <div class="panel empty first-schema">
      <h2>You have no schema yet</h2>
      <p>
        A schema says what your files look like: which fields a record has, where they are in the file, and what is right for each of them.
        With it Sluice checks every record of a file that you send.
      </p>
      <p>
        <a class="button primary" href={NEW}>
          Make your first schema
        </a>
      </p>
      <p class="hint">It takes a minute: from a sample of your file most of it is filled in for you.</p>
    </div>
  );
}
