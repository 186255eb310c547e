import { useEffect, useRef, useState } from "preact/hooks";

import type { SchemaChoice } from "../../api/all-schemas";
import { isOffline } from "../../api/connection";
import type { FileFormat, OnFailure } from "../../gql/operations";
import { DropZone } from "../../parts/drop-zone";
import { Notice } from "../../parts/notice";
import { Plain } from "../../parts/plain";
import { size } from "../../locale";
import { objectionTo } from "../../objection";
import { go, to } from "../../routes";
import { session } from "../../session";
import { upload } from "../../uploads";
import { formatOf } from "../../words";
import { UploadList } from "../upload-list";
import { Choice } from "./choice";
import { FormatChoice } from "./format-choice";
import { lastUsed, remember } from "./last-used";
import { SchemaChoiceField } from "./schema-choice-field";

interface Props {
  /** Null until they are known. */
  schemas: SchemaChoice[] | null;
  /** Why they are not. */
  problem: string | null;
}

/** Takes a file and what it is, and sends it. */
export function Send({ schemas, problem }: Props) {
  const [file, setFile] = useState<File | null>(null);
  const [schemaId, setSchemaId] = useState("");
  const [format, setFormat] = useState<FileFormat | null>(null);
  const [dryRun, setDryRun] = useState(false);
  const [onFailure, setOnFailure] = useState<OnFailure>("KEEP");
  const who = session.value!;

  useEffect(() => {
    const last = schemas?.find(({ name }) => name === lastUsed(who.partner.id));
    const proposed = last?.id ?? (schemas?.length === 1 ? schemas[0]!.id : "");
    setSchemaId((chosen) => (schemas?.some(({ id }) => id === chosen) ? chosen : proposed));
  }, [schemas]);
  const isIdle = useIdle(file);

  const objection = file && objectionTo(file, Number(who.partner.maxUploadBytes));
  const ready = file && schemaId && !isOffline.value && (!objection || (objection.formatUnknown && format));

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!file || !ready) {
      return;
    }
    remember(who.partner.id, schemas?.find(({ id }) => id === schemaId)?.name ?? "");
    setFile(null);
    setFormat(null);
    const jobId = await upload(file, { schemaId, dryRun, onFailure, format: formatOf(file.name) ? null : format }, who);
    if (jobId && isIdle.current) {
      go({ view: "job", id: jobId });
    }
  };

  return (
    <section class="panel" aria-labelledby="send-title">
      <h1 id="send-title">Send a file</h1>
      {problem && <Notice kind="bad">{problem}</Notice>}
      {schemas?.length === 0 && (
        <Notice kind="note" title="First, say what your files look like.">
          A schema names the fields of a file and what is right for each.{" "}
          <a href={to({ view: "new-schema", from: null })}>Make your first schema</a>: it takes a minute, and a sample of your file helps.
        </Notice>
      )}
      <form onSubmit={submit} class="stack">
        <div class="columns">
          <div class="stack">
            <DropZone label={file ? "Choose another file" : "Choose a file"} onFiles={([first]) => setFile(first ?? null)}>
              {file ? (
                <p class="chosen">
                  <Plain text={file.name} /> <span class="hint">{size(file.size)}</span>
                </p>
              ) : (
                <p class="hint">CSV, TSV, JSON, NDJSON or XML, up to {size(who.partner.maxUploadBytes)}</p>
              )}
            </DropZone>
            {objection && <Notice kind={objection.formatUnknown ? "note" : "bad"}>{objection.message}</Notice>}
            {objection?.formatUnknown && <FormatChoice chosen={format} onChoose={setFormat} />}
          </div>
          <div class="stack">
            <SchemaChoiceField schemas={schemas} chosen={schemaId} onChoose={setSchemaId} />
            <Choice label="Dry run" chosen={dryRun} onChange={setDryRun}>
              Checks every record and loads none. You can load it afterwards without sending it again.
            </Choice>
            {!dryRun && (
              <Choice label="All or nothing" chosen={onFailure === "DISCARD"} onChange={(all) => setOnFailure(all ? "DISCARD" : "KEEP")}>
                If the file breaks off or is cancelled half-way, what was loaded of it is deleted again.
              </Choice>
            )}
          </div>
        </div>
        {isOffline.value && file && <Notice kind="bad">You are offline. The file can be sent once you are back.</Notice>}
        <div class="row">
          <button type="submit" class="primary" disabled={!ready}>
            {dryRun ? "Check the file" : "Send the file"}
          </button>
          {file && !schemaId && schemas && schemas.length > 0 && <span class="hint">Choose a schema first.</span>}
        </div>
      </form>
      <UploadList />
    </section>
  );
}

/** Whether the form is open with nothing in it: who reads something else, or has the next file, is not led away from it. */
function useIdle(file: File | null) {
  const isIdle = useRef(true);
  isIdle.current = file === null;
  useEffect(() => () => void (isIdle.current = false), []);
  return isIdle;
}
