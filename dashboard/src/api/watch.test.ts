import { describe, expect, it } from "vitest";

import type { ProgressFragment } from "../gql/operations";
import { isNewer } from "./watch";

function stand(second: number, bytesRead: string, status: ProgressFragment["status"] = "PROCESSING") {
  return { status, bytesRead, at: `2026-01-01T00:00:0${second}Z` };
}

describe("isNewer", () => {
  it("follows the subscription from the first byte to the last", () => {
    expect(isNewer(stand(1, "0"), stand(0, "0", "PENDING"))).toBe(true);
    expect(isNewer(stand(2, "500"), stand(0, "0", "PENDING"))).toBe(true);
  });

  it("does not go back to what was heard last when only queries come through", () => {
    expect(isNewer(stand(1, "500"), stand(4, "900"))).toBe(false);
  });

  it("goes by how far the file is read, whatever the clocks of two servers say", () => {
    expect(isNewer(stand(1, "900"), stand(4, "500"))).toBe(true);
    expect(isNewer(stand(4, "9007199254740993"), stand(1, "9007199254740992"))).toBe(true);
  });

  it("knows an end, and that nothing comes after it", () => {
    expect(isNewer(stand(1, "500", "CANCELLED"), stand(4, "900"))).toBe(true);
    expect(isNewer(stand(5, "900"), stand(4, "900", "COMPLETED"))).toBe(false);
    expect(isNewer(stand(5, "900", "COMPLETED"), stand(4, "900", "COMPLETED"))).toBe(false);
  });
});
