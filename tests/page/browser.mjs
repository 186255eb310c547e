// Headless Chromium, driven by lines of JSON. [["getByLabel", "API key"], ["fill", "slc_…"]] calls one method (or takes one
// property) after the other, the first of them the page's. A string is an address: it is opened as if in a new browser.
// Each answer also tells what the page has asked for and complained of since the last one.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const WIDE = { width: 3000, height: 1400 }; // no line of an answer wraps

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
});
let page;
let requests = [];
let errors = [];

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answering = typeof asked === "string" ? open(asked) : follow(asked);
  const answer = await answering.catch((error) => ({ failure: String(error) }));
  console.log(JSON.stringify({ ...answer, requests, errors }));
  [requests, errors] = [[], []];
}
await browser.close();

async function open(url) {
  await page?.context().close();
  [requests, errors] = [[], []];
  page = await browser.newPage({ viewport: WIDE });
  page.setDefaultTimeout(15_000);
  page.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
}

async function follow(calls) {
  let value = page;
  for (const [method, ...given] of calls) {
    value = typeof value[method] === "function" ? await value[method](...given) : value[method];
  }
  return { value: typeof value === "object" ? null : value };
}
