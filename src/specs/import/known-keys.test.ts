import { expect, test } from "vitest";
import { keyTable } from "./known-keys.ts";

test("a key with two fates is a mistake of the table", () => {
  expect(() =>
    keyTable([
      { fate: "cannot", why: "a", keys: "x y" },
      { fate: "no_bearing", why: "b", keys: "z x" },
    ]),
  ).toThrow(/x has two fates/);
});
