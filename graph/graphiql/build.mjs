// Builds dist/: index.html, and what it loads, each under a name with its content's hash and compressed.
// index.html comes last: where it is, everything is.

import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const OPTIONS = {
  bundle: true,
  minify: true,
  write: false,
  outdir: "dist",
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  target: "es2022",
  jsx: "automatic",
  loader: { ".ttf": "file", ".woff2": "file", ".graphql": "text", ".jsonc": "text" },
  logLevel: "warning",
};
// The editor's threads, by the labels under which it asks for them.
const WORKERS = {
  editorWorkerService: "monaco-editor/esm/vs/editor/editor.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
};

process.chdir(import.meta.dirname);
const workers = await build({ ...OPTIONS, entryPoints: WORKERS, format: "iife" });
const workerFiles = Object.fromEntries(
  Object.keys(WORKERS).map((label) => [label, nameOf(workers, new RegExp(`^${label}-.*\\.js$`))]),
);
const page = await build({
  ...OPTIONS,
  entryPoints: { page: "page.jsx" },
  format: "esm",
  define: { WORKER_FILES: JSON.stringify(workerFiles) },
});

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
for (const { path, contents } of [...workers.outputFiles, ...page.outputFiles]) {
  await writeFile(`dist/${basename(path)}.gz`, await promisify(gzip)(contents, { level: 9 }));
}
const html = (await readFile("index.html", "utf8"))
  .replace("{style}", nameOf(page, /^page-.*\.css$/))
  .replace("{script}", nameOf(page, /^page-.*\.js$/));
await writeFile("dist/index.html", html);

function nameOf({ outputFiles }, pattern) {
  return outputFiles.map(({ path }) => basename(path)).find((name) => pattern.test(name));
}
