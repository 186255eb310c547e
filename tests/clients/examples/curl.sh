#!/usr/bin/env bash
# curl.sh SCHEMA_ID FILE: submits the file, follows it to its end, and prints what came of it.
set -euo pipefail
url=${SLUICE_URL:-http://localhost:8000/graphql}
schema_id=$1 file=$2

# Sends a query with variables (JSON), and prints the answer.
ask() {
    curl --silent --show-error "$url" -H "X-API-Key: $SLUICE_API_KEY" -H 'Content-Type: application/json' "${@:3}" \
        -d "{\"query\": \"$1\", \"variables\": $2}"
}

# Sends the file, and prints the job's id: the parts operations, map and the file, in this order.
submit() {
    local answer id
    answer=$(curl --silent --show-error "$url" -H "X-API-Key: $SLUICE_API_KEY" \
        -F operations='{"query": "mutation ($input: SubmitFileInput!) { submitFile(input: $input) { job { id } userErrors { code message } } }", "variables": {"input": {"schemaId": "'"$schema_id"'", "file": null}}}' \
        -F map='{"0": ["variables.input.file"]}' \
        -F 0=@"$file") || return
    id=$(value_of id <<<"$answer")
    [ -n "$id" ] || { echo "$answer" >&2; return 1; } # errors, or userErrors: they say what to put right
    echo "$id"
}

# The value of a key in the answer on stdin; jq does that better where it is installed.
value_of() { sed -nE "s/.*\"$1\": ?\"?([^\",}]*).*/\1/p"; }

# Stop a job: nothing more of it is loaded.
mistake=$(submit)
ask 'mutation ($input: CancelJobInput!) { cancelJob(input: $input) { job { id status } userErrors { code message } } }' \
    "{\"input\": {\"jobId\": \"$mistake\"}}"
echo

# Submit a file, and follow it to its end: curl prints each event as it comes.
job=$(submit)
ask 'subscription ($jobId: ID!) { jobProgress(jobId: $jobId) { status percent bytesTotal bytesRead recordsRead recordsAccepted recordsRejected } }' \
    "{\"jobId\": \"$job\"}" --no-buffer -H 'Accept: text/event-stream'

# Read what came of it, page by page: the cursor of the page before leads to the next one.
pages() {
    local after=null more=true
    while [ "$more" = true ]; do
        answer=$(ask "query (\$id: ID!, \$after: String) { job(id: \$id) { $1 } }" "{\"id\": \"$job\", \"after\": $after}")
        echo "$answer"
        more=$(value_of hasNextPage <<<"$answer") after="\"$(value_of endCursor <<<"$answer")\""
    done
}
pages 'records(first: 500, after: $after) { nodes { index data } pageInfo { hasNextPage endCursor } }'
pages 'errors(first: 50, after: $after) { nodes { recordIndex line field code message rawValue } pageInfo { hasNextPage endCursor } }'
