import { useClient } from "@urql/preact";
import { useEffect, useState } from "preact/hooks";

import { SchemaChoicesDocument, type SchemaChoicesQuery } from "../gql/operations";
import { inWords } from "./problems";
import { reconnections } from "./connection";

export type SchemaChoice = SchemaChoicesQuery["recordSchemas"]["nodes"][number];

/** Schemas that the page itself makes to try a definition: nobody wants to choose them. */
export const TRIAL_NAME = "Trial (made by the page)";

const PAGE = 100;
const MOST = 1000;

/** The newest version of each of the partner's schemas (of the first 1,000 names), by name; null until they are there. */
export function useSchemaChoices(): { schemas: SchemaChoice[] | null; problem: string | null } {
  const client = useClient();
  const [found, setFound] = useState<{ schemas: SchemaChoice[] | null; problem: string | null }>({ schemas: null, problem: null });
  const times = reconnections.value;
  useEffect(() => {
    let gone = false;
    void ask().then((answer) => gone || setFound(({ schemas }) => ({ ...answer, schemas: answer.schemas ?? schemas })));
    return () => {
      gone = true;
    };

    async function ask() {
      const schemas: SchemaChoice[] = [];
      let after: string | null = null;
      do {
        const variables: { first: number; after: string | null } = { first: PAGE, after };
        const { data, error } = await client.query(SchemaChoicesDocument, variables, { requestPolicy: "network-only" }).toPromise();
        if (!data) {
          return { schemas: null, problem: error ? inWords(error) : null };
        }
        schemas.push(...data.recordSchemas.nodes.filter(({ name }) => name !== TRIAL_NAME));
        after = data.recordSchemas.pageInfo.hasNextPage ? (data.recordSchemas.pageInfo.endCursor ?? null) : null;
      } while (after && schemas.length < MOST);
      return { schemas: schemas.sort((one, other) => one.name.localeCompare(other.name)), problem: null };
    }
  }, [client, times]);
  return found;
}
