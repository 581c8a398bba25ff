/** @file The records of a run directory against their published schemas, protocol/run-dir/*.schema.json. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const SCHEMAS = join(import.meta.dirname, "../../protocol/run-dir");

/** What of a run directory's records is not as its schema says, in sentences, and how many records were looked at. */
export function checkRecords(dir: string): { problems: string[]; numRecords: number } {
  const records = [
    ...["status", "receipt", "scores"].flatMap((name) => recordsOf(dir, `${name}.json`, name)),
    ...["last", "best"].flatMap((name) => recordsOf(dir, `checkpoints/${name}.json`, "checkpoints")),
    ...recordsOf(dir, "metrics.jsonl", "metrics"),
    ...predictionFiles(dir).flatMap((name) => recordsOf(dir, `predictions/${name}`, "predictions")),
  ];
  const problems = records.flatMap(({ place, value, schema }) => {
    const result = z.fromJSONSchema(schema).safeParse(value);
    return result.success ? [] : [`${place}: ${z.prettifyError(result.error)}`];
  });
  return { problems, numRecords: records.length };
}

function predictionFiles(dir: string): string[] {
  return readdirSync(join(dir, "predictions")).filter((name) => /^[^.]+\.(dev|test)\.jsonl$/.test(name));
}

function recordsOf(dir: string, file: string, schemaName: string) {
  const path = join(dir, file);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  const texts = file.endsWith(".jsonl") ? text.trimEnd().split("\n") : [text];
  const schema = closed(JSON.parse(readFileSync(join(SCHEMAS, `${schemaName}.schema.json`), "utf8")));
  return texts.map((one, i) => ({ place: `${file}:${i + 1}`, value: JSON.parse(one) as unknown, schema }));
}

/** Readers accept members that they do not know. What this version writes has none. */
function closed(schema: object): Parameters<typeof z.fromJSONSchema>[0] {
  return JSON.parse(JSON.stringify(schema).replaceAll('"additionalProperties":{}', '"additionalProperties":false'));
}
