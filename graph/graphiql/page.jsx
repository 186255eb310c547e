// GraphiQL for Sluice: a bar with the API key and the file to submit, and tabs with examples.

import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { useEffect, useMemo, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { createFetcher, post } from "./fetcher.js";
import { EXAMPLES } from "./examples.js";
import "./page.css";

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKER_FILES[label] ?? WORKER_FILES.editorWorkerService, import.meta.url)),
};

// Of this tab alone, and gone with it. GraphiQL itself never sees the key, so it is not among what it stores.
const STORED_KEY = "sluice:api-key";

function Page() {
  const [key, setKey] = useState(sessionStorage.getItem(STORED_KEY) ?? "");
  const file = useRef(null);
  const fetcher = useMemo(() => createFetcher(key, () => file.current), [key]); // GraphiQL asks a new one for the schema
  return (
    <>
      <Bar apiKey={key} onKey={setKey} file={file} />
      <GraphiQL
        key={key} // another key: answers to the one before it go
        fetcher={fetcher}
        defaultTabs={EXAMPLES}
        defaultEditorToolsVisibility="variables"
        isHeadersEditorEnabled={false}
        shouldPersistHeaders={false}
      >
        <GraphiQL.Logo>Sluice</GraphiQL.Logo>
      </GraphiQL>
    </>
  );
}

function Bar({ apiKey, onKey, file }) {
  const take = (text) => {
    sessionStorage.setItem(STORED_KEY, text.trim());
    onKey(text.trim());
  };
  return (
    <header className="bar">
      <label>
        API key{" "}
        <input
          type="password"
          autoComplete="off"
          spellCheck="false"
          placeholder="slc_…"
          defaultValue={apiKey}
          onBlur={(event) => take(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && take(event.target.value)}
        />
      </label>
      <output>
        <Owner apiKey={apiKey} />
      </output>
      <label>
        File for submitFile{" "}
        <input type="file" onChange={(event) => (file.current = event.target.files[0] ?? null)} />
      </label>
      <small>The key stays in this browser tab, until you close it, and is sent to this server alone.</small>
    </header>
  );
}

/** Whose key it is, or why it is nobody's. */
function Owner({ apiKey }) {
  const [words, setWords] = useState("");
  useEffect(() => {
    let isCurrent = true;
    const say = (text) => isCurrent && setWords(text);
    say("");
    if (apiKey) {
      post(apiKey, { query: "{ viewer { name } }" })
        .then(({ data, errors }) => say(data ? `Key of ${data.viewer.name}` : errors[0].message))
        .catch((error) => say(error.message));
    }
    return () => {
      isCurrent = false;
    };
  }, [apiKey]);
  return words;
}

createRoot(document.getElementById("page")).render(<Page />);
