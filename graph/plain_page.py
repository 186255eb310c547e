"""The pages for a browser where GraphiQL or the dashboard has not been built: each stands alone, with nothing to load."""

import base64
import hashlib

_STYLE = """
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: 6px; font-size: 14px; }
"""
_GRAPHQL = """<h1>Sluice</h1>
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
"""
_HOME = """<h1>Sluice</h1>
<p>Sluice runs. Here would be its dashboard, which sends files and shows what becomes of them, but it has not been built on this
server. <code>make page</code> in Sluice&rsquo;s folder builds it, or says why it cannot; then start Sluice anew. The Docker image has
it already.</p>
<p>All else is there: <a href="/graphql">the API on <code>/graphql</code></a> does what the dashboard does, and the command
<code>sluice submit FILE --schema ID --watch</code> sends a file and shows its progress.</p>
"""


def _page(title: str, content: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{content}</main>
</body>
</html>
"""


WITHOUT_GRAPHIQL = _page("Sluice: GraphQL", _GRAPHQL)
WITHOUT_DASHBOARD = _page("Sluice", _HOME)

STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
"""Of the style that they have: SHA-256, in base64."""
