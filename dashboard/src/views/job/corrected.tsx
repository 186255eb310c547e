import { useState } from "preact/hooks";

import { isOffline } from "../../api/connection";
import type { JobDetailFragment } from "../../gql/operations";
import { size } from "../../locale";
import { objectionTo } from "../../objection";
import { DropZone } from "../../parts/drop-zone";
import { Notice } from "../../parts/notice";
import { Plain } from "../../parts/plain";
import { VanishingButton } from "../../parts/vanishing-button";
import { session } from "../../session";
import { upload } from "../../uploads";
import { UploadList } from "../upload-list";

/** The id of the heading of this step. */
export const SEND_BACK = "send-back-title";

interface Props {
  job: JobDetailFragment;
  /** It is a job now. */
  onSent: () => void;
}

/** Takes the corrected file, and sends it as a retry. */
export function Corrected({ job, onSent }: Props) {
  const [file, setFile] = useState<File | null>(null);
  const who = session.value!;
  const objection = file && objectionTo(file, Number(who.partner.maxUploadBytes));
  const refused = objection && !objection.formatUnknown; // a name that does not tell: it is of the job's own format then

  const send = async () => {
    if (file && !refused) {
      setFile(null);
      const jobId = await upload(file, { jobId: job.id }, who);
      if (jobId) {
        onSent();
      }
    }
  };

  return (
    <>
      <DropZone label={file ? "Drop another file here, or choose one" : "Drop the corrected file here, or choose it"} onFiles={([first]) => setFile(first ?? null)}>
        {file ? (
          <p class="chosen">
            <Plain text={file.name} /> <span class="hint">{size(file.size)}</span>
          </p>
        ) : (
          <p class="hint">Only what was rejected, not the whole file: what is loaded already stays as it is.</p>
        )}
      </DropZone>
      {refused && <Notice kind="bad">{objection.message}</Notice>}
      {isOffline.value && file && <Notice kind="bad">You are offline. The file can be sent once you are back.</Notice>}
      {file && (
        <p>
          <VanishingButton class="primary" next={SEND_BACK} disabled={refused === true || isOffline.value} onClick={send}>
            Send the corrected file
          </VanishingButton>
        </p>
      )}
      <UploadList retryOf={job.id} />
    </>
  );
}
