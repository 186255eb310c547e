# One image for everything: `api` (the default), `worker` and `migrate` are arguments.
FROM python:3.11-slim AS build
COPY requirements/runtime.txt /requirements.txt
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /requirements.txt

# The pages for browsers: GraphiQL on /graphql, and the dashboard on /, whose types are made from the API's schema.
FROM node:24-slim AS pages
WORKDIR /pages
COPY graph/graphiql/package.json graph/graphiql/package-lock.json graph/graphiql/.npmrc graph/graphiql/
RUN npm --prefix graph/graphiql ci
COPY dashboard/package.json dashboard/package-lock.json dashboard/.npmrc dashboard/
RUN npm --prefix dashboard ci
COPY graph/graphiql/ graph/graphiql/
RUN npm --prefix graph/graphiql run build
COPY schema.graphql ./
COPY dashboard/ dashboard/
RUN npm --prefix dashboard run build

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home sluice \
 && install --directory --owner=sluice --group=sluice /data /files
COPY --from=build /venv /venv
WORKDIR /app
COPY settings.py ./
COPY models/ models/
COPY migrations/ migrations/
COPY tasks/ tasks/
COPY graph/ graph/
COPY --from=pages /pages/graph/graphiql/dist graph/graphiql/dist
COPY --from=pages /pages/dashboard/dist dashboard/dist
COPY sluice/ sluice/
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SLUICE_HOST=0.0.0.0 \
    SLUICE_PORT=8000 \
    SLUICE_DATA_DIR=/data \
    SLUICE_STORAGE_DIR=/files
USER sluice
EXPOSE 8000
# Of the API; compose switches it off where something else runs.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "sluice"]
CMD ["api"]
