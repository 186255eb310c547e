import type { CodegenConfig } from "@graphql-codegen/cli";

/** src/gql/: a type and a parsed document for every operation in src, checked against the API's schema. */
const config: CodegenConfig = {
  schema: "../schema.graphql",
  documents: "src/**/*.graphql",
  generates: {
    "src/gql/operations.ts": {
      plugins: ["typescript-operations", "typed-document-node"],
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        skipTypename: true,
        dedupeFragments: true,
        optimizeDocumentNode: true,
        defaultScalarType: "unknown",
        strictScalars: true,
        scalars: {
          ID: "string",
          BigInt: "string",
          DateTime: "string",
          JSON: "unknown",
          Upload: { input: "File | Blob | null", output: "never" },
        },
      },
    },
  },
};

export default config;
