import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { preparedSchema, workerMessageSchema } from "./prepared.ts";
import { studyFileSchema, trainFileSchema } from "./schema.ts";

/** The committed schemas are for editors and other languages; `npm run schema` writes them anew. */
function jsonSchema(schema: z.ZodType, title: string): string {
  return `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: "input" }) }, null, 2)}\n`;
}

test("the published schema of a study file is the one that is checked", async () => {
  await expect(jsonSchema(studyFileSchema, "mixtune study")).toMatchFileSnapshot("../../protocol/study.schema.json");
});

test("the published schema of a run file is the one that is checked", async () => {
  await expect(jsonSchema(trainFileSchema, "mixtune run")).toMatchFileSnapshot("../../protocol/train.schema.json");
});

test("the published schema of a prepared run is the one that is written by", async () => {
  await expect(jsonSchema(preparedSchema, "mixtune prepared run")).toMatchFileSnapshot(
    "../../protocol/prepared.schema.json",
  );
});

test("the worker checks prepared runs by the published schema", () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  expect(read("python/mixtune_worker/prepared.schema.json")).toBe(read("protocol/prepared.schema.json"));
});

test("the published schema of a worker's messages is the one that is checked", async () => {
  await expect(jsonSchema(workerMessageSchema, "mixtune worker message")).toMatchFileSnapshot(
    "../../protocol/message.schema.json",
  );
});
