import type { ComponentChildren } from "preact";

/** Something that a person has to know: bad news is heard at once, the rest when there is a pause. */
export function Notice({ kind, title, children }: { kind: "bad" | "good" | "note"; title?: string; children?: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {title && <strong>{title}</strong>}
      {children}
    </div>
  );
}
