// Headless Chromium, driven by lines of JSON, each of them for the page of a number.
//
// {"page": 1, "open": "http://…", "as": {…}} opens an address in a context of its own, where nothing is stored; `as` are
// playwright's options of a context. {"page": 2, "beside": 1, "open": …} opens it in another tab of page 1's context.
// {"page": 1, "calls": [["getByLabel", "API key"], ["fill", "slc_…"]]} calls one method (or takes one property) after the
// other, the first of them the page's; {"regex": "…"} stands for a regular expression.
// Each answer also tells what that page has asked for, complained of and downloaded since the last one.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const WIDE = { width: 3000, height: 1400 }; // no line of an answer wraps

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
});
const pages = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line, revive);
  const answering = asked.open ? open(asked) : follow(asked);
  const answer = await answering.catch((error) => ({ failure: String(error) }));
  const seen = pages.get(asked.page)?.seen;
  console.log(JSON.stringify({ ...answer, ...seen }));
  seen && Object.values(seen).forEach((list) => list.splice(0));
}
await browser.close();

async function open({ page: number, beside, open: url, as }) {
  const context = beside ? pages.get(beside).page.context() : await anew(as);
  const page = await context.newPage();
  const seen = { requests: [], errors: [], downloads: [] };
  pages.set(number, { page, seen });
  page.setDefaultTimeout(15_000);
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("websocket", (socket) => seen.requests.push(socket.url()));
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("dialog", (dialog) => (seen.errors.push(`${dialog.type()}: ${dialog.message()}`), dialog.accept()));
  page.on("download", async (download) => seen.downloads.push([download.suggestedFilename(), await download.path()]));
  await page.goto(url);
}

async function anew(as) {
  await Promise.all(browser.contexts().map((context) => context.close()));
  pages.clear();
  return browser.newContext({ viewport: WIDE, ...as });
}

async function follow({ page: number, calls }) {
  let value = pages.get(number).page;
  for (const [method, ...given] of calls) {
    value = typeof value[method] === "function" ? await value[method](...given) : value[method];
  }
  return { value: plain(value) };
}

/** What can be told in JSON: playwright's own objects cannot. */
function plain(value) {
  const isOwn = typeof value === "object" && value !== null && ![Object, Array].includes(value.constructor);
  return isOwn ? null : value;
}

function revive(_, value) {
  return value?.regex ? new RegExp(value.regex, "s") : value;
}
