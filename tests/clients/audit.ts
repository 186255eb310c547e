/** The audit of GraphQL over HTTP by the package graphql-http. Prints every audit that is not ok, then the sum. */
import { auditServer } from "graphql-http";

const url = process.env["SLUICE_URL"]!;
const apiKey = process.env["SLUICE_API_KEY"]!;

const results = await auditServer({
  url,
  fetchFn: (input: string, init?: RequestInit) =>
    fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), "X-API-Key": apiKey } }),
});

for (const result of results) {
  if (result.status === "ok") continue;
  const { status, statusText, headers } = result.response;
  console.log(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
  console.log(`  answered ${status} ${statusText} ${headers.get("content-type")}`);
}
console.log(`${results.filter(({ status }) => status === "ok").length} of ${results.length} ok`);
