import { describe, expect, it } from "vitest";

import { parse, to, type Route } from "./addresses";

const ROUTES: Route[] = [
  { view: "home" },
  { view: "job", id: "Sm9iOjAxOTI=" },
  { view: "schemas" },
  { view: "schema", id: "a/b c#%?ü" },
  { view: "new-schema", from: null },
  { view: "new-schema", from: "a/b" },
];

describe("an address", () => {
  it.each(ROUTES)("leads to the route that it was made for: %o", (route) => {
    expect(parse(to(route))).toEqual(route);
  });

  it.each(["", "#", "#/", "/"])("%j is home", (text) => {
    expect(parse(text)).toEqual({ view: "home" });
  });

  it.each(["#/nothing", "#/jobs", "#/jobs/", "#/Jobs/1", "#/graphql"])("%j leads nowhere", (text) => {
    expect(parse(text)).toEqual({ view: "nowhere" });
  });

  it("with a broken escape is taken as it stands", () => {
    expect(parse("#/jobs/100%")).toEqual({ view: "job", id: "100%" });
  });

  it("of a new schema may end in a slash", () => {
    expect(parse("#/schemas/new/")).toEqual({ view: "new-schema", from: null });
  });
});

it("a route that leads nowhere is left for home", () => {
  expect(to({ view: "nowhere" })).toBe("#/");
});
