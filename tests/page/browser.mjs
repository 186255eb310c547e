// One page in headless Chromium, driven by lines of JSON: [["getByLabel", "API key"], ["fill", "slc_…"]] calls one method
// (or takes one property) after the other, the first of them the page's. Each answer also tells what has been seen since
// the last one.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
});
const page = await browser.newPage({ viewport: { width: 1600, height: 1200 } });
page.setDefaultTimeout(15_000);

let requests = [];
let errors = [];
page.on("request", (request) => requests.push(request.url()));
page.on("websocket", (socket) => requests.push(socket.url()));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(String(error)));

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await follow(JSON.parse(line)).catch((error) => ({ failure: String(error) }));
  console.log(JSON.stringify({ ...answer, requests, errors }));
  [requests, errors] = [[], []];
}
await browser.close();

async function follow(calls) {
  let value = page;
  for (const [method, ...given] of calls) {
    value = typeof value[method] === "function" ? await value[method](...given) : value[method];
  }
  return { value: typeof value === "object" ? null : value };
}
