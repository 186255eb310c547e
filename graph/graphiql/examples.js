// The tabs of somebody who comes for the first time, in the order in which one does these things.

import whoAmI from "./examples/1_who_am_i.graphql";
import createSchema from "./examples/2_create_schema.graphql";
import createSchemaVariables from "./examples/2_create_schema.jsonc";
import submitFile from "./examples/3_submit_file.graphql";
import submitFileVariables from "./examples/3_submit_file.jsonc";
import watchJob from "./examples/4_watch_job.graphql";
import watchJobVariables from "./examples/4_watch_job.jsonc";
import readJob from "./examples/5_read_job.graphql";

export const EXAMPLES = [
  { query: whoAmI },
  { query: createSchema, variables: createSchemaVariables },
  { query: submitFile, variables: submitFileVariables },
  { query: watchJob, variables: watchJobVariables },
  { query: readJob },
];
