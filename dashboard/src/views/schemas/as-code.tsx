import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

import type { CreateRecordSchemaInput } from "../../gql/operations";
import { CopyButton } from "../../parts/copy-button";

const MUTATION = `mutation CreateSchema($input: CreateRecordSchemaInput!) {
  createRecordSchema(input: $input) {
    recordSchema {
      id
      version
    }
    userErrors {
      field
      message
    }
  }
}`;

const HIDDEN = /[\u007f-\u00a0\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** The same schema for programs: the mutation that makes it, and the file that the command line takes. */
export function AsCode({ input }: { input: CreateRecordSchemaInput }) {
  return (
    <div class="stack">
      <Piece title="GraphQL" text={MUTATION}>
        The mutation. It stays the same for every schema; what differs is in its variables.
      </Piece>
      <Piece title="Variables" text={jsonText({ input })}>
        To go with it.
      </Piece>
      <Piece title="JSON" text={jsonText(input)}>
        As a file for the command line: <code>sluice schema create FILE</code>
      </Piece>
    </div>
  );
}

function Piece({ title, text, children }: { title: string; text: string; children: ComponentChildren }) {
  const id = useId();
  return (
    <div class="code">
      <div class="row apart">
        <h3 id={id}>{title}</h3>
        <CopyButton text={text} label={`Copy ${title}`} />
      </div>
      <p class="hint">{children}</p>
      <pre tabIndex={0} role="region" aria-labelledby={id}>
        {text}
      </pre>
    </div>
  );
}

/** Indented JSON in which everything can be seen: what has no picture is written as its number. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
