import { useQuery } from "@urql/preact";
import { useEffect } from "preact/hooks";

import { inWords } from "../../api/problems";
import { SchemaDocument, type WholeSchemaFragment } from "../../gql/operations";
import { count } from "../../locale";
import { Moment } from "../../parts/moment";
import { Notice } from "../../parts/notice";
import { Plain, visible } from "../../parts/plain";
import { to } from "../../routes";
import { session } from "../../session";
import { remember } from "../home/last-used";
import { AsCode } from "./as-code";
import { FieldTable } from "./field-table";
import { FileFacts } from "./file-facts";
import { fromSchema } from "./from-schema";
import { justSaved } from "./just-saved";
import { NoSuchSchema } from "./no-such-schema";
import { toInput } from "./to-input";
import { Versions } from "./versions";

/** One version of a schema. */
export function SchemaView({ id }: { id: string }) {
  const [{ data, error }] = useQuery({ query: SchemaDocument, variables: { id } });
  const schema = data?.recordSchema;
  useEffect(() => {
    if (schema) {
      document.title = `${visible(schema.name)} · Sluice`;
    }
  }, [schema?.name]);
  useEffect(() => () => void (justSaved.value = null), []);

  if (data && !schema) {
    return <NoSuchSchema />;
  }
  return (
    <main id="main" tabIndex={-1} aria-busy={!data && !error}>
      {error && !data && <Notice kind="bad">{inWords(error)}</Notice>}
      {schema && <Version schema={schema} />}
    </main>
  );
}

function Version({ schema }: { schema: WholeSchemaFragment }) {
  const use = () => session.value && remember(session.value.partner.id, schema.name);
  return (
    <>
      <div class="row apart title">
        <div>
          <h1>
            <Plain text={schema.name} />
          </h1>
          <p class="hint">
            Version {count(schema.version)}, saved <Moment at={schema.createdAt} />. A version never changes: what is different is the next
            one.
          </p>
        </div>
        <div class="row">
          <a class="button" href={to({ view: "new-schema", from: schema.id })}>
            Make the next version
          </a>
          <a class="button primary" href={to({ view: "home" })} onClick={use}>
            Send a file with it
          </a>
        </div>
      </div>
      {justSaved.value === schema.id && (
        <Notice kind="good" title={`Saved as version ${count(schema.version)}.`}>
          Files can be sent with it now.
        </Notice>
      )}
      <div class="beside">
        <div class="stack">
          <section aria-labelledby="fields-title">
            <h2 id="fields-title">Fields</h2>
            <FieldTable fields={schema.fields} />
          </section>
          <section aria-labelledby="file-title" class="panel">
            <h2 id="file-title">How the file is written</h2>
            <FileFacts schema={schema} />
          </section>
          <section aria-labelledby="code-title" class="panel">
            <h2 id="code-title">For programs</h2>
            <AsCode input={toInput(fromSchema(schema))} />
          </section>
        </div>
        <Versions name={schema.name} shown={schema.id} />
      </div>
    </>
  );
}
