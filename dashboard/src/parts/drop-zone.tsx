import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

interface Props {
  /** What to do here: "Choose a file". Dropping one is said beside it. */
  label: string;
  children?: ComponentChildren;
  accept?: string;
  multiple?: boolean;
  disabled?: boolean;
  onFiles: (files: File[]) => void;
}

/** Takes files by mouse, finger or keyboard. They stay where they are until somebody reads them. */
export function DropZone({ label, children, accept, multiple = false, disabled = false, onFiles }: Props) {
  const [over, setOver] = useState(false);
  const id = useId();
  const take = (list: FileList | null | undefined) => {
    const files = Array.from(list ?? []);
    if (files.length > 0 && !disabled) {
      onFiles(multiple ? files : files.slice(0, 1));
    }
  };
  return (
    <div
      class={`drop-zone${over ? " over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(!disabled);
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
        {...(accept ? { accept } : {})}
        multiple={multiple}
        disabled={disabled}
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
    </div>
  );
}
