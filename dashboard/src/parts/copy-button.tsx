import { useState } from "preact/hooks";

import { announce } from "./announcer";

const SHOWN_MS = 2000;

/** Puts text into the clipboard, and says so. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<"ready" | "copied" | "refused">("ready");
  const copy = async () => {
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setState(done ? "copied" : "refused");
    announce(done ? "Copied." : "The browser did not let us copy it. Select the text and copy it yourself.");
    setTimeout(() => setState("ready"), SHOWN_MS);
  };
  return (
    <button type="button" onClick={copy}>
      {state === "copied" ? "Copied" : state === "refused" ? "Select and copy it yourself" : label}
    </button>
  );
}
