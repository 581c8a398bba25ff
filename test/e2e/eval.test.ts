/** @file What mixtune eval stores: it belongs to the model, examples and asking that made it, and outlives a service's model. */

import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";
import { MODEL, type ModelServerOptions, startModelServer } from "../support/model-server.ts";

const TINY = fileURLToPath(new URL("../../assets/tiny", import.meta.url));

let folder: string;
let remove: () => void;
beforeAll(() => {
  ({ folder, remove } = temporaryFolder());
  cpSync(TINY, join(folder, "model"), { recursive: true });
  writeFileSync(join(folder, "train.jsonl"), rows(8, "train"));
});
afterAll(() => remove());

function rows(num: number, word: string): string {
  const row = (i: number) => JSON.stringify({ text: `${word} ${i}`, team: i % 2 ? "cards" : "loans" });
  return Array.from({ length: num }, (_, i) => `${row(i)}\n`).join("");
}

const study = (more: string) => `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: train.jsonl, test: test.jsonl}
    prompt: "{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
design: [singles]
${more}`;

/** The bug: scores of what the folder was filled with were reported as those of what was asked for. */
test("scores of other weights, examples or lengths of answers are refused with the keys that differ", async () => {
  const weightsFile = join(folder, "model", "model.safetensors");
  const weights = readFileSync(weightsFile);
  const again = ({ more = "", word = "test", tuned = false }) => {
    writeFileSync(join(folder, "study.yaml"), study(more));
    writeFileSync(join(folder, "test.jsonl"), rows(4, word));
    const bytes = Buffer.from(weights);
    if (tuned) bytes[bytes.length - 2]! ^= 1;
    writeFileSync(weightsFile, bytes);
    return mixtune(["eval", "./model", "--tasks", "study.yaml", "--out", "scores", "--json"], { cwd: folder });
  };
  const first = await again({});
  expect(first).toMatchObject({ status: 0 });
  expect((await again({})).stdout).toBe(first.stdout);
  const refused = async (change: Parameters<typeof again>[0], message: RegExp) => {
    const { status, stderr } = await again(change);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  };
  await refused({ tuned: true }, /holds scores.*weights_digest "[0-9a-f]+".*weights_digest "[0-9a-f]+"/s);
  await refused({ word: "other" }, /teams test\.examples "[0-9a-f]+".*teams test\.examples/s);
  await refused({ more: "eval: {max_new_tokens: 7}\n" }, /teams test\.max_new_tokens none.*max_new_tokens 7/s);
  expect(await again({})).toMatchObject({ status: 0, stdout: first.stdout });
});

describe("a hosted model", () => {
  const evalOf = (name: string, baseUrl: string, out: string) => {
    writeFileSync(join(folder, "study.yaml"), study(""));
    writeFileSync(join(folder, "test.jsonl"), rows(4, "test"));
    const where = ["--base-url", baseUrl, "--allow-hosted", "--out", out];
    return mixtune(["eval", `openai:${name}`, "--tasks", "study.yaml", "--json", ...where], {
      cwd: folder,
      env: { MIXTUNE_CACHE: join(folder, "cache"), OPENAI_API_KEY: "" },
    });
  };
  const withServer = async <T>(
    options: ModelServerOptions,
    use: (baseUrl: string, sent: () => number) => Promise<T>,
  ) => {
    const server = await startModelServer(options);
    try {
      return await use(server.baseUrl, () => server.seen.length);
    } finally {
      await server.close();
    }
  };
  const models = (shutdown_date: string | null) => ({ models: [{ id: MODEL, shutdown_date }, { id: "whisperer" }] });

  test("is asked with a word on when it ends, and its answers are scored again when it is gone", async () => {
    const { baseUrl, first } = await withServer(models("2999-01-14"), async (baseUrl) => {
      return { baseUrl, first: await evalOf(MODEL, baseUrl, "ending") };
    });
    expect(first).toMatchObject({ status: 0 });
    expect(first.stderr).toContain(`shuts ${MODEL} down on 2999-01-14.`);

    const judged = await mixtune(["rescore", "ending"], { cwd: folder });
    expect(judged).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/1 split judged again.*nothing changed/),
    });
    expect(await evalOf(MODEL, baseUrl, "ending")).toMatchObject({ status: 0, stdout: first.stdout });
    rmSync(join(folder, "ending"), { recursive: true });
    const kept = await evalOf(MODEL, baseUrl, "ending");
    expect(JSON.parse(kept.stdout)).toEqual(JSON.parse(first.stdout));
  });

  test("that has ended is refused, and nothing is sent", async () => {
    await withServer(models("2020-01-14"), async (baseUrl, sent) => {
      const { status, stderr } = await evalOf(MODEL, baseUrl, "ended");
      expect(stderr).toMatch(/still answers with.*shut down on 2020-01-14.*mixtune rescore/s);
      expect(status).toBe(2);
      expect(sent()).toBe(0);
    });
  });

  test("that its service does not list is asked all the same, and the nearest name is said", async () => {
    await withServer({ ...models(null), reply: () => "cards" }, async (baseUrl) => {
      const { status, stderr } = await evalOf("shoutr", baseUrl, "unlisted");
      expect(stderr).toMatch(/not in its list of models.*shouter/s);
      expect(status).toBe(0);
    });
  });

  /** The bug: kept answers of what a server had under a name before were taken for those of what it has now. */
  test("behind a name that serves another model now is asked again, and its scores are not the other's", async () => {
    const list = [{ id: MODEL, digest: "1" }];
    await withServer({ models: list }, async (baseUrl, sent) => {
      expect(await evalOf(MODEL, baseUrl, "served")).toMatchObject({ status: 0 });
      const before = sent();
      expect(await evalOf(MODEL, baseUrl, "served-again")).toMatchObject({ status: 0 });
      expect(sent()).toBe(before);
      list[0]!.digest = "2";
      expect((await evalOf(MODEL, baseUrl, "served")).stderr).toMatch(/expected served "1", got served "2"/);
      expect(await evalOf(MODEL, baseUrl, "served-other")).toMatchObject({ status: 0 });
      expect(sent()).toBe(2 * before);
    });
  });

  test("of a service without a list of models is asked as ever", async () => {
    await withServer({ models: null }, async (baseUrl, sent) => {
      const { status, stderr } = await evalOf(MODEL, baseUrl, "no-list");
      expect(stderr).not.toMatch(/shuts|deprecates/);
      expect(status).toBe(0);
      expect(sent()).toBeGreaterThan(0);
    });
  });

  test("among baselines is planned with a word on its end, and a closed one does not stop the plan", async () => {
    writeFileSync(join(folder, "baselines.yaml"), `${study("")}eval: {baselines: ["openai:${MODEL}"]}\n`);
    const plan = (options: ModelServerOptions) =>
      withServer(options, (baseUrl) =>
        mixtune(["plan", "baselines.yaml", "--base-url", baseUrl, "--out", "planned"], { cwd: folder }),
      );
    const ending = await plan(models("2999-01-14"));
    expect(ending.stderr).toContain(`shuts ${MODEL} down on 2999-01-14.`);
    expect(ending.status).toBe(0);
    const closed = await plan(models("2020-01-14"));
    expect(closed.stderr).toContain("shut down on 2020-01-14");
    expect(closed.status).toBe(0);
  });
});

// The regression: a model folder was given rows of 1,024 tokens at most, whatever the study's train.cutoff_len, and the message named that key as the remedy.
test("rows are as long as the study's cutoff_len allows, and scores of another limit are refused", async () => {
  writeFileSync(join(folder, "test.jsonl"), rows(2, "a long row ".repeat(400)));
  const scored = (cutoff: number, out: string) => {
    writeFileSync(join(folder, "long.yaml"), study(`train: {cutoff_len: ${cutoff}}\neval: {scoring: [constrained]}\n`));
    return mixtune(["eval", "mixtune/tiny", "--tasks", "long.yaml", "--out", out], { cwd: folder });
  };
  expect(await scored(4096, "long")).toMatchObject({ status: 0 });
  expect((await scored(1024, "short")).stderr).toContain("expected at most 1024 tokens (train.cutoff_len)");
  expect(await scored(3000, "long")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("expected cutoff_len 4096, got cutoff_len 3000"),
  });
});
