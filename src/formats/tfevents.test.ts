import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeTfevents } from "./tfevents.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/formats/tfevents/expected.json", import.meta.url), "utf8"),
);

test("an event file has the bytes that tensorboard writes", () => {
  expect(Buffer.from(encodeTfevents(golden.events)).toString("base64")).toBe(golden.file);
});

test("a file without events is one that says its version only", () => {
  expect(Buffer.from(encodeTfevents([])).includes("brain.Event:2")).toBe(true);
});
