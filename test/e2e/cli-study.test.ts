/** @file A person's own data from init to predictions, through the built command. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Finished, mixtune, temporaryFolder } from "../support/command.ts";

let folder: string;
let remove: () => void;

beforeAll(() => {
  ({ folder, remove } = temporaryFolder());
  const rows = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => {
      const [team, thing] = (
        [
          ["cards", "a lost card"],
          ["loans", "the rate of a loan"],
          ["fraud", "a payment never made"],
        ] as const
      )[i % 3]!;
      return {
        text: `Customer number ${from + i} writes to us about ${thing}.`,
        team,
        customer_id: from + Math.floor(i / 2),
      };
    });
  const csv = (list: ReturnType<typeof rows>) =>
    ["text,team,customer_id", ...list.map(({ text, team, customer_id }) => `${text},${team},${customer_id}`), ""].join(
      "\n",
    );
  writeFileSync(join(folder, "tickets-train.csv"), csv(rows(90, 0)));
  writeFileSync(join(folder, "tickets-test.csv"), csv(rows(24, 5000)));
  writeFileSync(
    join(folder, "mood.jsonl"),
    rows(60, 9000)
      .map(
        ({ text, team }, i) =>
          `${JSON.stringify({ sentence: `${text} Thanks!`, label: team === "fraud" ? "bad" : "fine", i })}\n`,
      )
      .join(""),
  );
});
afterAll(() => remove());

/** Small enough for seconds. */
const SMALL = [
  "train.max_steps=3",
  "train.train_batch_size=4",
  "train.save_steps=1",
  "eval.max_dev=6",
  "eval.max_test=6",
  "seeds=[1]",
];

async function ok(args: string[]): Promise<Finished> {
  const finished = await mixtune(args, { cwd: folder });
  expect(finished.stderr).not.toMatch(/expected .* got/);
  expect(finished.status).toBe(0);
  return finished;
}

/** True while a run says that it is at work. */
function isTraining(runs: string): boolean {
  const status = (existsSync(runs) ? readdirSync(runs) : [])
    .map((id) => join(runs, id, "status.json"))
    .filter(existsSync);
  return status.some((path) => JSON.parse(readFileSync(path, "utf8")).state === "running");
}

describe("own data", () => {
  test("init proposes columns, labels, groups and splits, and the study is good to run as it is", async () => {
    await ok(["init", "--data", "tickets-train.csv", "tickets-test.csv", "mood.jsonl"]);
    const text = readFileSync(join(folder, "study.yaml"), "utf8");
    expect(text).toContain('data: {train: "tickets-train.csv", test: "tickets-test.csv"}');
    expect(text).toMatch(/labels: \["cards", "fraud", "loans"\]/);
    expect(text).toContain('group: "customer_id"');
    expect(text).toMatch(/labels: \["bad", "fine"\]/);
    const checked = await ok(["tasks", "check", "study.yaml"]);
    expect(checked.stdout).toMatch(/^tickets: label[\s\S]*?^ {2}test +24 /m);
    expect(checked.stdout).toContain("study.yaml is good to run");
  });

  test("show marks what is trained on", async () => {
    const { stdout } = await ok(["tasks", "show", "tickets", "--study", "study.yaml"]);
    expect(stdout).toMatch(/Customer number \d+ writes .*\n(.*\n)*.*⟦ ?(cards|loans|fraud)<\|endoftext\|>⟧/);
  });

  test("plan names every run and starts nothing", async () => {
    const { stdout } = await ok(["plan", "study.yaml", "--json", ...SMALL]);
    const { runs } = JSON.parse(stdout);
    expect(runs).toHaveLength(3);
    expect(runs[0]).toMatchObject({ done: false, estimate: { steps: 3, examples: 12 } });
    expect(readdirSync(folder)).not.toContain("studies");
  });

  test("a study that is interrupted says so with status 130, and goes on when called again, after SIGKILL too", async () => {
    const first = await mixtune(["run", "study.yaml", "--out", "out", ...SMALL], {
      cwd: folder,
      onStderr: (text, kill) => {
        if (text.includes("untuned  done") && !text.includes("Stopping")) kill("SIGINT");
      },
    });
    expect(first.status).toBe(130);
    expect(first.stdout).toContain("to do: run the same command again to resume");
    expect((await ok(["status", "out"])).stdout).not.toMatch(/ done\n/);
    const second = await mixtune(["run", "study.yaml", "--out", "out", ...SMALL], {
      cwd: folder,
      watch: (kill) => {
        if (isTraining(join(folder, "out", "runs"))) kill("SIGKILL");
      },
    });
    expect(second.status).toBeNull();
    expect((await ok(["status", "out"])).stdout).toContain("interrupted");
    const third = await ok(["run", "study.yaml", "--out", "out", "--json", ...SMALL]);
    const result = JSON.parse(third.stdout);
    expect(result.failed).toEqual([]);
    expect(result.done_before).toBeGreaterThanOrEqual(1);
    expect(result.table.numDone).toBe(3);
    expect(result.table.rows.map(({ kind }: { kind: string }) => kind)).toEqual([
      "majority",
      "ngram",
      "base",
      "mixture",
      "mixture",
      "mixture",
    ]);
  });

  test("a finished study is not done again", async () => {
    const runs = join(folder, "out", "runs");
    const times = () => readdirSync(runs).map((id) => statSync(join(runs, id, "scores.json")).mtimeMs);
    const before = times();
    const { stdout } = await ok(["run", "study.yaml", "--out", "out", "--json", ...SMALL]);
    expect(JSON.parse(stdout)).toMatchObject({ done: 0, done_before: 4 });
    expect(times()).toEqual(before);
  });

  test("a damaged study is mended where it can be, and what is lost is named", async () => {
    cpSync(join(folder, "out"), join(folder, "damaged"), { recursive: true });
    const runs = join(folder, "damaged", "runs");
    const [first, second, third] = readdirSync(runs) as [string, string, string];
    const ask = () => mixtune(["run", "study.yaml", "--out", "damaged", "--json", ...SMALL], { cwd: folder });
    const [lost] = readdirSync(join(runs, first, "predictions")).filter((name) => name.endsWith("test.jsonl"));
    const files = [join(runs, first, "predictions", lost!), join(runs, second, "scores.json")];
    const before = files.map((path) => readFileSync(path, "utf8"));
    rmSync(files[0]!);
    writeFileSync(files[1]!, before[1]!.replace('"value":', '"value": 0,"was":'));
    // Without these only the scores of the second run are left to be made from its predictions.
    rmSync(join(runs, second, "checkpoints"), { recursive: true });
    rmSync(join(runs, third, "checkpoints", "last.json"));
    const { stdout } = await ok(["status", "damaged"]);
    expect(stdout).toMatch(new RegExp(`${first} .* damaged +predictions/${lost} is missing`));
    expect(stdout).toMatch(
      new RegExp(`${second} .* damaged +scores.json was changed, checkpoints/last.json is missing`),
    );
    expect(stdout).toContain("0 of 3 runs done, 3 damaged.");
    const again = await ask();
    expect(again.status).toBe(1);
    expect(again.stderr).toContain(`${first} is damaged: predictions/${lost} is missing.`);
    const { done, failed } = JSON.parse(again.stdout);
    expect([done, failed.map(({ id }: { id: string }) => id).sort()]).toEqual([1, [second, third].sort()]);
    expect(failed[0].reason).toMatch(/expected the weights that were trained, got .*last\.json is missing/);
    expect(readFileSync(files[0]!, "utf8")).toBe(before[0]);
    expect(JSON.parse(readFileSync(files[1]!, "utf8"))).toEqual(JSON.parse(before[1]!));
  });

  test("other test examples are scored again, without any training, and dev scores stay", async () => {
    cpSync(join(folder, "out"), join(folder, "more"), { recursive: true });
    const runs = join(folder, "more", "runs");
    const scoresOf = (id: string) => JSON.parse(readFileSync(join(runs, id, "scores.json"), "utf8")).tasks.tickets;
    const logs = () =>
      readdirSync(runs).map((id) => {
        const log = join(runs, id, "metrics.jsonl");
        return existsSync(log) && readFileSync(log, "utf8");
      });
    const [before, logged] = [readdirSync(runs).map((id) => scoresOf(id)), logs()];
    expect(before.map(({ test }) => test.n)).toEqual(before.map(() => 6));
    const { stdout } = await ok(["run", "study.yaml", "--out", "more", "--json", ...SMALL, "eval.max_test=12"]);
    expect(JSON.parse(stdout)).toMatchObject({ done: 4, done_before: 0, failed: [] });
    const after = readdirSync(runs).map((id) => scoresOf(id));
    expect(after.map(({ test }) => test.n)).toEqual(before.map(() => 12));
    expect(after.map(({ dev }) => dev)).toEqual(before.map(({ dev }) => dev));
    expect(logs()).toEqual(logged);
  });

  test("two processes do not work in one study", async () => {
    const claim = join(folder, "out", ".claim.1");
    writeFileSync(claim, JSON.stringify({ pid: process.pid, host: "elsewhere" }));
    const { status, stderr } = await mixtune(["run", "study.yaml", "--out", "out", ...SMALL], { cwd: folder });
    expect(status).toBe(2);
    expect(stderr).toContain("on elsewhere");
    const run = join("out", "runs", readdirSync(join(folder, "out", "runs"))[0]!);
    expect((await mixtune(["eval", run], { cwd: folder })).stderr).toContain("on elsewhere");
    rmSync(claim);
  });

  test("status and report read what is there", async () => {
    expect((await ok(["status", "out"])).stdout).toContain("3 of 3 runs done.");
    const { stdout } = await ok(["report", "out", "--format", "csv"]);
    expect(stdout.split("\r\n")[0]).toBe(
      "kind,mixture,model,factors,task,metric,split,mean,sd,n,num_seeds,chosen_on_dev",
    );
    expect(stdout).toMatch(/mixture,all,mixtune\/tiny,,tickets,weighted_f1,test,[\d.]+,,6,1,/);
  });

  test("a report to give away has no outputs of test items, and says so", async () => {
    const written = () => JSON.parse(readFileSync(join(folder, "out", "report.json"), "utf8"));
    await ok(["report", "out"]);
    expect(written().disagreements.flatMap(({ items }: { items: object[] }) => items)).not.toEqual([]);
    const questions = () =>
      written().disagreements.flatMap(({ items }: { items: { question: string | null }[] }) =>
        items.map(({ question }) => question),
      );
    for (const question of questions())
      expect(question).toMatch(/^Customer number (5|9)\d{3} writes to us about .*\.( Thanks!)?$/);
    const tickets = join(folder, "tickets-test.csv");
    const before = readFileSync(tickets, "utf8");
    writeFileSync(tickets, before.replaceAll("writes", "wrote"));
    expect((await mixtune(["report", "out"], { cwd: folder })).stderr).toMatch(/tickets: its test data has changed/);
    expect(questions().some((question: string | null) => question?.includes("wrote"))).toBe(false);
    writeFileSync(tickets, before);
    await ok(["report", "out", "--no-texts"]);
    expect(written().disagreements).toEqual([]);
    expect(written().remarks).toContainEqual(expect.stringContaining("--no-texts"));
  });

  test("eval scores a run again on more, and an untuned model", async () => {
    const run = join("out", "runs", readdirSync(join(folder, "out", "runs"))[0]!);
    expect((await ok(["eval", run])).stdout).toMatch(/tickets\s+test\s+weighted_f1\s+[\d.]+/);
    const base = await ok(["eval", "mixtune/tiny", "--tasks", "study.yaml", "--split", "dev", "--json"]);
    expect(JSON.parse(base.stdout).tasks.mood.dev.n).toBeGreaterThan(0);
  });

  test("a folder of eval belongs to one model, asked in one way", async () => {
    const again = (...more: string[]) =>
      mixtune(["eval", "mixtune/tiny", "--out", "evals/mixtune--tiny", "--split", "dev", ...more], { cwd: folder });
    expect((await again("--tasks", "study.yaml")).status).toBe(0);
    const shots = await again("--tasks", "study.yaml", "--few-shot", "1");
    expect(shots.status).toBe(2);
    expect(shots.stderr).toMatch(/holds scores.*few_shot 0/s);
  });

  test("stored answers are judged again without a model; what was before is kept", async () => {
    const same = await ok(["rescore", "out"]);
    expect(same.stdout).toMatch(/nothing changed/);

    const run = join(folder, "out/runs", readdirSync(join(folder, "out/runs"))[0]!);
    const [scoresFile, predictionsFile] = [join(run, "scores.json"), join(run, "predictions/tickets.test.jsonl")];
    const [scores, predictions] = [readFileSync(scoresFile, "utf8"), readFileSync(predictionsFile, "utf8")];
    const judgedOtherwise = JSON.parse(scores);
    const split = judgedOtherwise.tasks.tickets.test;
    split.metrics.accuracy.value = 0.123;
    for (const metrics of Object.values<Record<string, { value: number }>>(split.scoring))
      metrics.accuracy!.value = 0.123;
    delete split.scorers;
    delete judgedOtherwise.digest; // as an earlier version wrote it
    writeFileSync(scoresFile, JSON.stringify(judgedOtherwise));

    const again = JSON.parse((await ok(["rescore", run, "--json"])).stdout);
    expect(again).toMatchObject({ from: [0, 1], to: 1, changedSplits: 1, kept: [join(run, "earlier/1")] });
    expect(again.changed[0]).toMatchObject({ task: "tickets", split: "test", metric: "accuracy", before: 0.123 });
    expect(JSON.parse(readFileSync(scoresFile, "utf8"))).toEqual(JSON.parse(scores));
    const lines = (text: string) =>
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    expect(lines(readFileSync(predictionsFile, "utf8"))).toEqual(lines(predictions));
    expect(JSON.parse(readFileSync(join(run, "earlier/1/scores.json"), "utf8"))).toEqual(judgedOtherwise);
    expect((await ok(["rescore", run])).stdout).toMatch(/nothing changed/);

    writeFileSync(predictionsFile, predictions.split("\n").slice(1).join("\n"));
    const fewer = await mixtune(["rescore", run], { cwd: folder });
    expect(fewer.status).toBe(2);
    expect(fewer.stderr).toMatch(/expected 6 predictions, got 5/s);
    writeFileSync(predictionsFile, predictions);
  });

  test("predict labels new rows, and goes on with those that are missing", async () => {
    const run = join("out", "runs", readdirSync(join(folder, "out", "runs"))[0]!);
    const args = ["predict", run, "--task", "tickets", "--input", "tickets-test.csv", "--out", "answers.jsonl"];
    await ok(args);
    const path = join(folder, "answers.jsonl");
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(24);
    const { answer, probability, probabilities, text } = JSON.parse(lines[0]!);
    expect(text).toContain("Customer number 5000");
    expect(["cards", "fraud", "loans"]).toContain(answer);
    expect(probability).toBe(Math.max(...Object.values<number>(probabilities)));
    writeFileSync(path, `${lines.slice(0, 10).join("\n")}\n`);
    await ok(args);
    expect(readFileSync(path, "utf8").trimEnd().split("\n")).toEqual(lines);
    writeFileSync(path, '{"text":"another"}\n');
    expect((await mixtune(args, { cwd: folder })).status).toBe(2);
  });

  test("train does one mixture from a run file", async () => {
    writeFileSync(
      join(folder, "one.yaml"),
      `model: mixtune/tiny
tasks:
  mood:
    data: {train: mood.jsonl}
    prompt: "Mood?\\n{sentence}"
    answer: {kind: label, field: label, labels: [bad, fine]}
mixture: {mood: {max_train: 20}}
train: {max_steps: 2, train_batch_size: 4, method: lora}
eval: {max_dev: 4, max_test: 4}
`,
    );
    const { stdout } = await ok(["train", "one.yaml", "seed=3", "--json"]);
    const { table } = JSON.parse(stdout);
    expect(table.rows.at(-1)).toMatchObject({ kind: "mixture", name: "one" });
    expect(readdirSync(join(folder, "studies"))).toEqual(["one"]);
  });

  test("train learns from documents too, which are not scored", async () => {
    const text = "The company said that its profit rose. ".repeat(20);
    writeFileSync(
      join(folder, "books.jsonl"),
      Array.from({ length: 20 }, (_, i) => `${JSON.stringify({ text: `${i}. ${text}` })}\n`).join(""),
    );
    writeFileSync(
      join(folder, "books.yaml"),
      `model: mixtune/tiny
tasks: {books: {data: {train: books.jsonl}, answer: {kind: document, field: text}}}
mixture: {books: {weight: 0.5}}
train: {method: full, init: random, loss_on: all, packing: contaminated, max_steps: 1, batch_tokens: 256, cutoff_len: 128}
`,
    );
    expect((await ok(["train", "books.yaml"])).stdout).toContain("Nothing was scored: no task has labels.");
  });

  test("a run that fails is named with its reason and status 1, the others go on", async () => {
    const args = ["study.yaml", "--out", "bad", "--json", ...SMALL, "train.max_steps=1", "controls=[]"];
    const { runs } = JSON.parse((await ok(["plan", ...args])).stdout);
    const inTheWay = runs[0].id;
    mkdirSync(join(folder, "bad", "runs"), { recursive: true });
    writeFileSync(join(folder, "bad", "runs", inTheWay), "");
    const { status, stdout, stderr } = await mixtune(["run", ...args], { cwd: folder });
    expect(status).toBe(1);
    const result = JSON.parse(stdout);
    expect(result.failed).toEqual([{ id: inTheWay, reason: expect.stringContaining(inTheWay) }]);
    expect(result.done).toBe(2);
    expect(stderr).toMatch(/failed after/);
    const { runs: states, failed_baselines } = JSON.parse((await ok(["status", "bad", "--json"])).stdout);
    expect(states.filter(({ state }: { state: string }) => state !== "done")).toMatchObject([
      { id: inTheWay, state: "failed", detail: expect.stringContaining("a file where the folder should be") },
    ]);
    expect(failed_baselines).toEqual([]);
    expect((await ok(["status", "bad"])).stdout).toContain("2 of 3 runs done, 1 failed.");

    rmSync(join(folder, "bad", "runs", inTheWay));
    const files = () =>
      readdirSync(join(folder, "bad", "runs"), { recursive: true, encoding: "utf8" })
        .filter((path) => !path.includes(inTheWay))
        .map((path) => `${path} ${statSync(join(folder, "bad", "runs", path)).mtimeMs}`);
    const before = files();
    expect(JSON.parse((await ok(["run", ...args])).stdout)).toMatchObject({ done: 1, done_before: 2, failed: [] });
    expect(files()).toEqual(before);
    expect((await ok(["status", "bad"])).stdout).toContain("3 of 3 runs done.\n");
  });

  test("the size of a task's own data is a factor: the other task's run is one, dev and test are the same examples", async () => {
    const args = [...SMALL, "--out", "sizes", "controls=[]", "eval.baselines=[]", "design=[singles]"];
    const sizes = 'factors={"tasks.tickets.max_train": [8, null], "tasks.mood.max_train": [10]}';
    const { stdout } = await ok(["run", "study.yaml", sizes, ...args, "--json"]);
    const { done, table } = JSON.parse(stdout);
    expect(done).toBe(3);
    const rows = table.rows.map(({ name, factors }: { name: string; factors: object }) => [name, factors]);
    const all = Math.max(...rows.map(([, factors]: [string, Record<string, number>]) => factors["tickets rows"] ?? 0));
    expect(all).toBeGreaterThan(8);
    expect(rows).toEqual([
      ["tickets", { "tickets rows": 8 }],
      ["mood", { "mood rows": 10 }],
      ["tickets", { "tickets rows": all }],
    ]);
    const folders = readdirSync(join(folder, "sizes", "runs")).map((id) => join(folder, "sizes", "runs", id));
    const asked = folders.map((run) =>
      readFileSync(join(run, "predictions/tickets.test.jsonl"), "utf8").match(/"prompt_digest":"[^"]+"/g),
    );
    expect(asked).toEqual([asked[0], asked[0], asked[0]]);
    const read = (run: string) => JSON.parse(readFileSync(join(run, "spec.json"), "utf8")).data.tickets?.num_train;
    expect(folders.map(read).sort()).toEqual([8, all, undefined].sort());
  });

  test("each opening of a test split is in the study's ledger, by eval too, and judging stored answers is none", async () => {
    const args = [...SMALL, "--out", "opened", "train.max_steps=1", "controls=[]", "eval.baselines=[majority]"];
    const openings = async () => JSON.parse((await ok(["status", "opened", "--json"])).stdout).test_openings;
    await ok(["run", "study.yaml", ...args, "design=[all]", "eval.splits=[dev]"]);
    expect((await ok(["status", "opened"])).stdout).toContain("No test split was opened yet.");
    const run = join("opened", "runs", readdirSync(join(folder, "opened", "runs"))[0]!);
    await ok(["eval", run, "--split", "test"]);
    expect(await openings()).toEqual({ times: 2, runs: 1, tasks: 2 });
    await ok(["eval", run, "--split", "test"]);
    await ok(["rescore", run]);
    await ok(["report", "opened"]);
    expect(await openings()).toEqual({ times: 2, runs: 1, tasks: 2 });
    await ok(["run", "study.yaml", ...args, "design=[all]"]);
    expect(await openings()).toEqual({ times: 4, runs: 2, tasks: 2 });
    await ok(["run", "study.yaml", ...args, "design=[singles]"]);
    expect((await ok(["status", "opened"])).stdout).toContain(
      "Test splits of 2 tasks were opened 8 times, by 4 runs and baselines.",
    );
  });
});
