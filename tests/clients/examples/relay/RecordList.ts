import { graphql } from "relay-runtime";

/** For usePaginationFragment: all accepted records of a job, a page at a time. */
export const records = graphql`
  fragment RecordList_job on Job
  @argumentDefinitions(count: { type: "Int", defaultValue: 500 }, cursor: { type: "String" })
  @refetchable(queryName: "RecordListNextPageQuery") {
    filename
    records(first: $count, after: $cursor) @connection(key: "RecordList_records") {
      totalCount
      edges { node { index data } }
    }
  }
`;

/** For useLazyLoadQuery: the page that holds the list. */
export const page = graphql`
  query RecordListQuery($id: ID!) {
    job(id: $id) {
      status
      ...RecordList_job
    }
  }
`;
