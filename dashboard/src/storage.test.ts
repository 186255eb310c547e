import { afterEach, describe, expect, it, vi } from "vitest";

import { keep, kept } from "./storage";

afterEach(() => void vi.unstubAllGlobals());

describe("storage", () => {
  it("keeps a text, and forgets it", () => {
    const texts = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => texts.get(name) ?? null,
      setItem: (name: string, text: string) => texts.set(name, text),
      removeItem: (name: string) => texts.delete(name),
    });
    keep("localStorage", "a", "1");
    expect(kept("localStorage", "a")).toBe("1");
    keep("localStorage", "a", null);
    expect(kept("localStorage", "a")).toBeNull();
  });

  it("does without where the browser forbids it", () => {
    const forbidden = () => {
      throw new DOMException("denied", "SecurityError");
    };
    Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get: forbidden });
    try {
      expect(() => keep("sessionStorage", "a", "1")).not.toThrow();
      expect(kept("sessionStorage", "a")).toBeNull();
    } finally {
      Reflect.deleteProperty(globalThis, "sessionStorage");
    }
  });
});
