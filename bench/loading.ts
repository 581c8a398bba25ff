/**
 * @file How fast data becomes packs: every task of the catalogue whose files MIXTUNE_DATA holds is read, tokenised for mixtune/tiny and packed,
 * on one thread; then once more with the token cache that the first pass filled. Prints one JSON line.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packExamples } from "../src/data/batches/packing.ts";
import { MICRO_BATCH_TOKENS } from "../src/data/batches/run-batches.ts";
import { CATALOGUE } from "../src/data/catalogue.ts";
import { loadTask } from "../src/data/load-task.ts";
import { openTemplate } from "../src/data/tokens/chat-template.ts";
import { prepareTask } from "../src/data/tokens/prepare.ts";
import type { TokenCache } from "../src/data/tokens/token-cache.ts";
import { openTokenizer } from "../src/data/tokens/tokenizers.ts";

const dataRoot = process.env.MIXTUNE_DATA;
if (dataRoot === undefined) {
  console.error(
    "bench: loading: expected MIXTUNE_DATA to name a folder of datasets, got nothing. Set it, or leave loading out.",
  );
  process.exit(2);
}
const model = join(process.cwd(), "assets", "tiny");
const tokenizer = openTokenizer(model);
const template = openTemplate(model, tokenizer);
const folder = mkdtempSync(join(tmpdir(), "mixtune-bench-"));
const cache: TokenCache = { folder, code: "bench" };
const PACKING = { packing: "isolated", sharePrefix: true, maxTokens: MICRO_BATCH_TOKENS, lossOn: "answer" } as const;
const BATCH = 32;

const names = Object.values(CATALOGUE).flatMap(({ name, local }) =>
  local?.files.every((file) => existsSync(join(dataRoot, file))) ? [name] : [],
);
const first = await pass();
const second = await pass();
rmSync(folder, { recursive: true });
process.stdout.write(`${JSON.stringify({ tasks: names.length, first, second })}\n`);

async function pass() {
  const cpu = { read: 0, tokenise: 0, pack: 0 };
  let [examples, tokens, packs] = [0, 0, 0];
  const start = performance.now();
  for (const name of names) {
    const task = await timed("read", () => loadTask({ name }, { dataRoot, isOnlyEvaluated: true }));
    const options = { cutoffLen: 4096, lossOn: "answer", onBadRow: "skip" } as const;
    const prepared = prepareTask(task, tokenizer, template, options, cache);
    for (const split of ["train", "dev", "test"] as const) {
      const { tokenized, numTokens } = await timed("tokenise", () => prepared.split(split));
      examples += tokenized.length;
      tokens += numTokens;
      packs += await timed("pack", () => {
        let count = 0;
        for (let i = 0; i < tokenized.length; i += BATCH)
          count += packExamples(tokenized.slice(i, i + BATCH), PACKING).length;
        return count;
      });
    }
  }
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = (cpu.read + cpu.tokenise + cpu.pack) / 1e6;
  return {
    examples,
    tokens,
    packs,
    seconds: Math.round(seconds),
    examplesPerMinute: Math.round((60 * examples) / seconds),
    cpuSeconds: Object.fromEntries(Object.entries(cpu).map(([part, micro]) => [part, Math.round(micro / 1e5) / 10])),
    examplesPerCpuMinute: Math.round((60 * examples) / cpuSeconds),
    peakMemoryGb: Math.round(process.resourceUsage().maxRSS / 1e4) / 100,
  };

  async function timed<T>(part: keyof typeof cpu, work: () => T | Promise<T>): Promise<T> {
    const { user, system } = process.cpuUsage();
    const result = await work();
    const spent = process.cpuUsage({ user, system });
    cpu[part] += spent.user + spent.system;
    return result;
  }
}
