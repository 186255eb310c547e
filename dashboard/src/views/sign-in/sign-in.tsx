import { useEffect, useRef, useState } from "preact/hooks";

import { Notice } from "../../parts/notice";
import { keptKey, signedOutBecause, signIn } from "../../session";

/** Asks for the API key, and says plainly when it is none. */
export function SignIn() {
  const [wrong, setWrong] = useState<string | null>(signedOutBecause.value);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Sign in · Sluice"; // and no longer the name of a file of who was here before
    field.current?.focus();
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? "";
    if (!key) {
      setWrong("Type or paste your API key first.");
      field.current?.focus();
      return;
    }
    setBusy(true);
    setWrong(null);
    const problem = await signIn(key);
    if (problem) {
      setBusy(false);
      setWrong(problem);
      field.current?.select();
    }
  };

  return (
    <main class="narrow" id="main">
      <h1>Sign in</h1>
      <p>Send files, watch them being read, and put right what was rejected.</p>
      <form onSubmit={submit} noValidate>
        <label for="key">API key</label>
        <input
          id="key"
          ref={field}
          type="password"
          defaultValue={keptKey() ?? ""} // the server could not be asked whether it is valid: to be tried again
          autocomplete="off"
          spellcheck={false}
          placeholder="slc_…"
          aria-invalid={wrong !== null}
          aria-describedby="key-help"
        />
        <p id="key-help" class="hint">
          It stays in this tab, and is gone when you close it. You have none? Who runs this server makes one with{" "}
          <code>sluice partner create NAME</code>.
        </p>
        {wrong && <Notice kind="bad">{wrong}</Notice>}
        <button type="submit" class="primary" aria-busy={busy} disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
