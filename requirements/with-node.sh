#!/bin/sh
# Runs a command with a Node.js that can build the pages for browsers: the machine's, or where there is none, or one that
# is too old for Vite 8, the one of the Python package index, which then stays in .venv.
set -eu
venv=$(cd "$(dirname "$0")/.." && pwd)/.venv

is_new_enough() {
    command -v npm && node --eval '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1);'
} >/dev/null 2>&1

if ! is_new_enough; then
    "$venv/bin/pip" install --quiet --disable-pip-version-check --timeout 10 --retries 1 --require-hashes \
        --requirement "$(dirname "$0")/node.txt"
    PATH=$venv/bin:$PATH
    export PATH
fi
exec "$@"
