import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

import { Notice } from "./notice";

interface Props {
  /** What to do here: "Choose a file". Dropping one is said beside it. */
  label: string;
  children?: ComponentChildren;
  onFiles: (files: [File]) => void;
}

/** Takes a file by mouse, finger or keyboard. It stays where it is until somebody reads it. */
export function DropZone({ label, children, onFiles }: Props) {
  const [over, setOver] = useState(false);
  const [many, setMany] = useState(false);
  const id = useId();
  const take = (list: FileList | null | undefined) => {
    const [first, ...others] = Array.from(list ?? []);
    if (first) {
      setMany(others.length > 0);
      onFiles([first]);
    }
  };
  return (
    <div
      class={`drop-zone${over ? " over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <input
        id={id}
        class="heard-only"
        type="file"
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = ""; // the same file can be chosen again
        }}
      />
      <label for={id} class="button">
        {label}
      </label>
      <p class="hint">or drop it here</p>
      {children}
      {many && <Notice kind="note">One file at a time: of those that you dropped, only the first is here.</Notice>}
    </div>
  );
}
