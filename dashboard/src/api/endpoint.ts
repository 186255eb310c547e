/** Of queries and mutations as of subscriptions, on the server that the page comes from. */
export const ENDPOINT = "/graphql";
