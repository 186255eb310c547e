"""The page for a browser where GraphiQL has not been built: it stands alone, with nothing to load."""

PLAIN_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice: GraphQL</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: 6px; font-size: 14px; }
</style>
</head>
<body>
<main>
<h1>Sluice</h1>
<p>This is the GraphQL endpoint. Send queries as <code>POST</code> with your API key in the header
<code>X-API-Key</code>; subscriptions go over a WebSocket (<code>graphql-transport-ws</code>) on this same path.</p>
<h2>Who am I?</h2>
<pre>curl "$SLUICE/graphql" -H "X-API-Key: $KEY" -H "Content-Type: application/json" \\
  -d '{"query": "{ viewer { name } }"}'</pre>
<h2>Submit a file</h2>
<pre>curl "$SLUICE/graphql" -H "X-API-Key: $KEY" \\
  -F operations='{"query": "mutation($input: SubmitFileInput!) { submitFile(input: $input) { job { id } userErrors { code message } } }",
     "variables": {"input": {"schemaId": "…", "file": null}}}' \\
  -F map='{"0": ["variables.input.file"]}' \\
  -F 0=@orders.csv</pre>
<h2>See what became of it</h2>
<pre>query ($id: ID!) {
  job(id: $id) {
    status
    progress { percent recordsAccepted recordsRejected }
    errorSummary { field code count }
    errors(first: 10) { nodes { line field code message rawValue } }
  }
}</pre>
<h2>Watch it</h2>
<pre>subscription ($id: ID!) {
  jobProgress(jobId: $id) { status percent recordsPerSecond etaSeconds }
}</pre>
</main>
</body>
</html>
"""
