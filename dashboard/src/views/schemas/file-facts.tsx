import type { WholeSchemaFragment } from "../../gql/operations";
import { count } from "../../locale";
import { Fact } from "../../parts/fact";
import { Plain } from "../../parts/plain";
import { encodingInWords, markInWords } from "./words";

/** What a version says of the file as a whole. */
export function FileFacts({ schema }: { schema: WholeSchemaFragment }) {
  const { recordPath, encoding, unknownFields, csv } = schema;
  return (
    <dl class="facts">
      <Fact name="Where the records are">
        {recordPath ? <Plain text={recordPath} /> : "At the top: each row, line, element of the array, or child of the root element"}
      </Fact>
      <Fact name="Keys and columns that no field names">{unknownFields === "REJECT" ? "The record is rejected" : "They are left out"}</Fact>
      <Fact name="Encoding">{encodingInWords(encoding)}</Fact>
      {csv && (
        <>
          <Fact name="CSV: between values">{csv.delimiter ? <Mark mark={csv.delimiter} /> : "Found out from the header"}</Fact>
          <Fact name="CSV: around values">{csv.quote ? <Mark mark={csv.quote} /> : "Quotes mean nothing"}</Fact>
          <Fact name="CSV: a quote inside quotes">
            {csv.escape ? (
              <>
                Has before it: <Mark mark={csv.escape} />
              </>
            ) : (
              "It is doubled"
            )}
          </Fact>
          <Fact name="CSV: header">{csv.header ? "Yes" : "No: columns go by their numbers, from 1"}</Fact>
          {csv.skipLines > 0 && <Fact name="CSV: lines before the header">{count(csv.skipLines)}</Fact>}
          {csv.comment && (
            <Fact name="CSV: comments begin with">
              <Mark mark={csv.comment} />
            </Fact>
          )}
        </>
      )}
    </dl>
  );
}

/** A character of the schema's, by its name where it has one. */
function Mark({ mark }: { mark: string }) {
  const words = markInWords(mark);
  return words === mark ? <Plain text={mark} /> : <>{words}</>;
}
