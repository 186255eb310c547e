/** Where a person is. It stands behind the # of the address, so that it can be sent to a colleague. */
export type Route =
  | { view: "home" }
  | { view: "job"; id: string }
  | { view: "schemas" }
  | { view: "new-schema"; from: string | null }
  | { view: "schema"; id: string }
  | { view: "nowhere" };

/** The address of a route, for a link. */
export function to(target: Route): string {
  switch (target.view) {
    case "job":
      return `#/jobs/${encodeURIComponent(target.id)}`;
    case "schemas":
      return "#/schemas";
    case "new-schema":
      return target.from ? `#/schemas/new/${encodeURIComponent(target.from)}` : "#/schemas/new";
    case "schema":
      return `#/schemas/${encodeURIComponent(target.id)}`;
    default:
      return "#/";
  }
}

/** The route of an address's hash. */
export function parse(text: string): Route {
  const [first = "", second, third] = text
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decoded);
  if (first === "") {
    return { view: "home" };
  }
  if (first === "jobs" && second) {
    return { view: "job", id: second };
  }
  if (first === "schemas") {
    if (!second) {
      return { view: "schemas" };
    }
    return second === "new" ? { view: "new-schema", from: third || null } : { view: "schema", id: second };
  }
  return { view: "nowhere" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
