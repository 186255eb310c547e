import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const DIST = "dist";
const ASSETS = "assets";

/** What the API serves is compressed once, here. index.html comes last: where it is, everything is. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async closeBundle() {
      await rename(join(DIST, "index.html"), join(DIST, "index.part"));
      for (const name of await readdir(join(DIST, ASSETS))) {
        const path = join(DIST, ASSETS, name);
        await writeFile(`${path}.gz`, await promisify(gzip)(await readFile(path), { level: 9 }));
        await rm(path);
      }
      await rename(join(DIST, "index.part"), join(DIST, "index.html"));
    },
  };
}

/** `npm run dev` shows changes at once, with the API of a `make serve` beside it. */
const API = process.env["SLUICE_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/",
  plugins: [compressed()],
  server: {
    host: "127.0.0.1",
    proxy: {
      "/health": API,
      "/graphql": {
        target: API,
        changeOrigin: true,
        ws: true,
        // The API takes sockets from its own origin alone.
        configure: (proxy) => void proxy.on("proxyReqWs", (request) => request.removeHeader("origin")),
      },
    },
  },
  // The policy of the page forbids data: addresses, scripts in the page, and everything from elsewhere.
  build: {
    outDir: DIST,
    assetsDir: ASSETS,
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
  },
});
