import { render } from "preact";

import { App } from "./app";
import "./style/index.css";

// A file that misses its place would be opened in place of the page.
for (const event of ["dragover", "drop"]) {
  window.addEventListener(event, (missed) => missed.preventDefault());
}

render(<App />, document.getElementById("app")!);
