import { useQuery } from "@urql/preact";
import { useMemo, useState } from "preact/hooks";

import { inWords } from "../../api/problems";
import { SchemaDocument } from "../../gql/operations";
import { counted } from "../../locale";
import type { Sample } from "../../samples/sample";
import { announce } from "../../parts/announcer";
import { Notice } from "../../parts/notice";
import { Plain } from "../../parts/plain";
import { BLANK, fromProposal, type Draft } from "./draft";
import { fromSchema } from "./from-schema";
import { NoSuchSchema } from "./no-such-schema";
import { SchemaForm } from "./schema-form";
import { Start } from "./start";

/** A form to make a schema, or the next version of the one with the id `from`. */
export function NewSchema({ from }: { from: string | null }) {
  return from ? <NextVersion from={from} /> : <First />;
}

function First() {
  const [begun, setBegun] = useState<{ initial: Draft; sample: Sample | null } | null>(null);
  return (
    <main id="main" tabIndex={-1}>
      <h1>New schema</h1>
      {begun ? (
        <SchemaForm initial={begun.initial} isProposed={begun.sample !== null} firstSample={begun.sample} />
      ) : (
        <Start
          onByHand={() => setBegun({ initial: BLANK, sample: null })}
          onSample={(sample, proposal) => {
            announce(`${counted(proposal.fields.length, "field")} found in the sample.`);
            setBegun({ initial: fromProposal(proposal), sample });
          }}
        />
      )}
    </main>
  );
}

function NextVersion({ from }: { from: string }) {
  const [{ data, error }] = useQuery({ query: SchemaDocument, variables: { id: from }, requestPolicy: "cache-first" });
  const schema = data?.recordSchema;
  const initial = useMemo(() => (schema ? fromSchema(schema) : null), [schema?.id]);
  if (data && !schema) {
    return <NoSuchSchema />;
  }
  return (
    <main id="main" tabIndex={-1} aria-busy={!data && !error}>
      {error && !data && <Notice kind="bad">{inWords(error)}</Notice>}
      {schema && initial && (
        <>
          <h1>
            Next version of <Plain text={schema.name} />
          </h1>
          <SchemaForm initial={initial} isProposed={false} firstSample={null} />
        </>
      )}
    </main>
  );
}
