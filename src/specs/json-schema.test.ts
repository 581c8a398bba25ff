import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  checkpointIndexSchema,
  hostedJobSchema,
  judgementSchema,
  metricsLineSchema,
  predictionSchema,
  receiptSchema,
  scoresSchema,
  statusSchema,
  subjectSchema,
} from "../runs/schemas.ts";
import { preparedSchema, workerMessageSchema } from "./prepared.ts";
import { studyFileSchema, trainFileSchema } from "./schema.ts";
import { EVAL_DEFAULTS } from "./study-file.ts";
import { TRAIN_DEFAULTS } from "./train.ts";

/** The committed schemas are for editors and other languages; `npm run schema` writes them again. */
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

/** Records of a run directory; of a .jsonl file one line. */
const RUN_DIR = {
  status: [statusSchema, "status.json"],
  metrics: [metricsLineSchema, "one line of metrics.jsonl"],
  checkpoints: [checkpointIndexSchema, "checkpoints/last.json"],
  receipt: [receiptSchema, "receipt.json"],
  scores: [scoresSchema, "scores.json"],
  predictions: [predictionSchema, "one line of predictions/<task>.<split>.jsonl"],
  judgements: [judgementSchema, "one line of judgements/<task>.<split>.jsonl"],
  subject: [subjectSchema, "subject.json"],
  job: [hostedJobSchema, "job.json"],
} as const;

test.each(Object.entries(RUN_DIR))("the published schema of %s is the one that is checked", async (name, record) => {
  const [schema, file] = record;
  await expect(jsonSchema(schema, `mixtune run directory: ${file}`)).toMatchFileSnapshot(
    `../../protocol/run-dir/${name}.schema.json`,
  );
});

interface JsonSchema {
  description?: string;
  properties?: Record<string, JsonSchema>;
  [keyword: string]: unknown;
}

/** Every key that a schema names, with its path and description. */
function keysIn(value: unknown, path: string[] = []): { path: string; description: string | undefined }[] {
  if (typeof value !== "object" || value === null) return [];
  const { properties = {}, ...rest } = value as JsonSchema;
  return [
    ...Object.entries(properties).flatMap(([key, schema]) => [
      { path: [...path, key].join("."), description: schema.description },
      ...keysIn(schema, [...path, key]),
    ]),
    ...Object.values(rest).flatMap((schema) => keysIn(schema, path)),
  ];
}

describe.each([
  ["study file", studyFileSchema, 100],
  ["run file", trainFileSchema, 70],
] as const)("every key of a %s", (_, schema, atLeast) => {
  const keys = keysIn(z.toJSONSchema(schema, { io: "input" }));

  test("has a description of one to three sentences", () => {
    expect(keys.length).toBeGreaterThan(atLeast);
    expect(keys.filter(({ description }) => !/^[\S\s]{3,230}\.$/.test(description ?? ""))).toEqual([]);
  });

  test.each([
    ["train", TRAIN_DEFAULTS],
    ["eval", EVAL_DEFAULTS],
  ])("of its %s block states the default that it has", (block, defaults) => {
    for (const [key, value] of Object.entries(defaults)) {
      const said = keys.find(({ path }) => path === `${block}.${key}`)?.description ?? "";
      expect(said.slice(said.indexOf("Default: ") + "Default: ".length), key).toMatch(stated(value));
    }
  });
});

function stated(value: unknown): RegExp {
  if (!Array.isArray(value)) return new RegExp(`^${value}( \\(|; |\\.$)`);
  return value.length > 2 ? /^all three\.$/ : new RegExp(`^${value.join(" and ")}\\.$`);
}
