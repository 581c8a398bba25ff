/** @file mixtune tasks show and check as a person uses them, on made-up data: what is trained on, contracts, leaks, copies, what is shortened. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mixtune, temporaryFolder } from "../support/command.ts";

let folder: string;
let remove: () => void;

beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
});
afterEach(() => remove());

const STORIES = ["a card", "a loan"].flatMap((product, k) =>
  Array.from({ length: 30 }, (_, i) => ({
    text: `customer ${1000 * k + 37 * i} asks about ${product} with number ${7919 * (i + 1)} and a limit of ${i + 3} thousand`,
    team: k === 0 ? "cards" : "loans",
  })),
);

function csv(name: string, rows: readonly { text: string; team: string }[]): void {
  writeFileSync(join(folder, name), ["text,team", ...rows.map(({ text, team }) => `"${text}",${team}`), ""].join("\n"));
}

function study(more: { tasks?: string; keys?: string; fit?: string } = {}): void {
  writeFileSync(
    join(folder, "study.yaml"),
    `name: s
models: [mixtune/tiny]
tasks:
  teams:
    data: {train: train.csv, test: test.csv}
    prompt: "Which team?\\n{text}"
    answer: {kind: label, field: team, labels: [cards, loans]}
${more.fit ?? ""}${more.tasks ?? ""}${more.keys ?? ""}design: [all]
train: {max_steps: 1, train_batch_size: 4}
`,
  );
}

const run = (...args: string[]) => mixtune(args, { cwd: folder });

describe("mixtune tasks check", () => {
  beforeEach(() => {
    csv("train.csv", STORIES.slice(5));
    csv("test.csv", STORIES.slice(0, 5));
    study();
  });

  test("shows counts, lengths and what stands in two places, and passes a sound study", async () => {
    const { status, stdout } = await run("tasks", "check", "study.yaml");
    expect(stdout).toMatch(/train +\d+ +\d+ +0 +0 +loans: accuracy/);
    expect(stdout).toMatch(/mixtune\/tiny +tokens +prompt min\/median\/p95\/max/);
    expect(stdout).toContain("is good to run");
    expect(status).toBe(0);
  });

  test("--json has the same as a record", async () => {
    const { status, stdout } = await run("tasks", "check", "study.yaml", "--json");
    const { ok, tasks, overlaps } = JSON.parse(stdout);
    expect(ok).toBe(true);
    const [teams] = tasks;
    expect(teams.splits.map(({ split }: { split: string }) => split)).toEqual(["train", "dev", "test"]);
    expect(teams.splits[2]).toMatchObject({
      rows: 5,
      labels: { cards: 5, loans: 0 },
      constant: { answer: "cards", accuracy: 1 },
    });
    expect(teams.tokens["mixtune/tiny"][0]).toMatchObject({ over: 0, too_long: [], fitted: { rows: 0, tokens: 0 } });
    expect(overlaps).toEqual([]);
    expect(status).toBe(0);
  });

  const OTHER = `  other:
    data: {train: other.csv, test: other-test.csv}
    prompt: "{text}: who answers?"
    answer: {kind: label, field: team, labels: [cards, loans]}
`;

  test("a test text that another task trains on breaks the contract and stops every run, unless it is allowed by name", async () => {
    csv("other.csv", [
      ...STORIES.slice(20, 40).map((row, i) => ({ ...row, text: `a new story of a client in place ${i} who waits` })),
      STORIES[0]!,
    ]);
    csv("other-test.csv", [{ text: "one more story of someone who is new here", team: "cards" }]);
    study({ tasks: OTHER });
    const broken = await run("tasks", "check", "study.yaml");
    expect(broken.stdout).toMatch(
      /BROKEN: other\/train#\d+: expected nothing of a test split.*got the text of teams\/test#2/,
    );
    expect(broken.stdout).toMatch(/teams\/test +other\/train +1 +0/);
    expect(broken.status).toBe(2);
    const refused = await run("plan", "study.yaml");
    expect(refused.stderr).toContain("allow_overlap: [[other, teams]]");
    expect(refused.status).toBe(2);
    study({ tasks: OTHER, keys: "allow_overlap: [[teams, other]]\n" });
    const allowed = await run("tasks", "check", "study.yaml");
    expect(allowed.stdout).toContain("warning: other/train");
    expect(allowed.status).toBe(0);
    const planned = await run("plan", "study.yaml");
    expect(planned.stderr).toContain(
      "other: 1 of its training examples are in the test split of teams, as allow_overlap lets them.",
    );
    expect(planned.status).toBe(0);
    const unknown = await run("plan", "study.yaml", "allow_overlap=[[teams,othr]]");
    expect(unknown.stderr).toContain("Did you mean other?");
    expect(unknown.status).toBe(2);
  });

  test("near-copies are shown with both rows, and let pass", async () => {
    const long =
      "the regulator told the bank on Monday to keep more capital for its loans to small firms in the south of the country";
    csv("train.csv", [
      ...STORIES.slice(5),
      { text: long, team: "loans" },
      { text: long.replace("Monday", "Tuesday"), team: "loans" },
    ]);
    csv("test.csv", [...STORIES.slice(0, 5), { text: long.replace("small", "smaller"), team: "loans" }]);
    const { status, stdout } = await run("tasks", "check", "study.yaml", "--json");
    const { overlaps } = JSON.parse(stdout) as {
      overlaps: { sets: string[]; near: number[]; examples: { jaccard: number }[] }[];
    };
    const near = overlaps
      .filter(({ sets }) => sets[1] === "teams/test")
      .reduce((sum, overlap) => sum + overlap.near[0]!, 0);
    expect(near).toBe(1); // the other differs in two places
    expect(overlaps[0]?.examples[0]?.jaccard).toBeGreaterThan(0.7);
    expect(status).toBe(0);
  });

  test("rows that are too long are named all at once, and a declared fit shortens them, counted", async () => {
    const long = { text: `${"the client wrote once more. ".repeat(400)}`, team: "loans" };
    csv("train.csv", [...STORIES.slice(5), long, { ...long, text: `again ${long.text}` }]);
    const broken = await run("tasks", "check", "study.yaml");
    expect(broken.stdout).toMatch(/BROKEN: teams\/(train|dev): .*2 longer ones|BROKEN: teams\/train: .*1 longer/);
    expect(broken.status).toBe(2);
    study({ fit: "    fit: {field: text, keep: end}\n" });
    const fitted = await run("tasks", "check", "study.yaml", "--json");
    const facts = JSON.parse(fitted.stdout).tasks[0].tokens["mixtune/tiny"] as {
      fitted: { rows: number };
      too_long: string[];
    }[];
    expect(facts.reduce((sum, one) => sum + one.fitted.rows, 0)).toBe(2);
    expect(facts.flatMap(({ too_long }) => too_long)).toEqual([]);
    expect(fitted.status).toBe(0);
    const planned = await run("plan", "study.yaml");
    expect(planned.stderr).toMatch(
      /teams\/train: \d of \d+ prompts shortened to 1024 tokens, \d+ tokens left out of them\./,
    );
  });

  test("several broken tasks are all told, with the row of each", async () => {
    csv("train.csv", [...STORIES.slice(5), { text: "a row of a team that is not there", team: "fraud" }]);
    study({ tasks: OTHER });
    const { status, stdout } = await run("tasks", "check", "study.yaml");
    expect(stdout).toMatch(/BROKEN: .*train\.csv:57: .*fraud/);
    expect(stdout).toMatch(/BROKEN: .*other\.csv/);
    expect(status).toBe(2);
  });
});

describe("the well-known swapped map of the Twitter sentiment labels", () => {
  /** Made-up tweets with published counts of ids 0, 1, 2. */
  const tweets = (counts: readonly number[]) => {
    const ids = counts.flatMap((n, id) => Array.from({ length: n }, () => id));
    return ids.map(
      (id, i) => `"tweet ${i} of ${ids.length} says something of share ${(i * 7919) % 10007} today",${id}`,
    );
  };
  const file = (name: string, lines: readonly string[]) => {
    const path = join(folder, "twitter-financial-news-sentiment");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, name), ["text,label", ...lines, ""].join("\n"));
  };
  const check = () => mixtune(["tasks", "check", "twitter-sentiment"], { cwd: folder, env: { MIXTUNE_DATA: folder } });

  test("is caught in a copy of the files; the right one passes", async () => {
    file("sent_train.csv", tweets([1442, 1923, 6178]));
    file("sent_valid.csv", tweets([347, 475, 1566]));
    expect((await check()).status).toBe(0);
    file("sent_valid.csv", tweets([347, 1566, 475]));
    const { status, stdout } = await check();
    expect(stdout).toMatch(
      /BROKEN: .*sent_valid\.csv: expected 347, 475, 1566 rows of labels 0 to 2, as published, got 347, 1566, 475/,
    );
    expect(status).toBe(2);
  });

  test("is caught in a person's own copy, by the counts", async () => {
    const names = ["negative", "neutral", "positive"];
    const rows = tweets([347, 475, 1566]).map((line) => line.replace(/\d$/, (id) => names[Number(id)]!));
    writeFileSync(join(folder, "tweets.csv"), ["text,team", ...rows, ""].join("\n"));
    csv(
      "train.csv",
      STORIES.map((row) => ({ ...row, team: "neutral" })),
    );
    study({});
    const { status, stdout } = await run(
      "tasks",
      "check",
      "study.yaml",
      "tasks.teams.data.test=tweets.csv",
      "tasks.teams.answer.labels=[negative,neutral,positive]",
    );
    expect(stdout).toMatch(
      /BROKEN: teams\/test: expected 347 bearish, 475 bullish, 1566 neutral, as twitter-sentiment/,
    );
    expect(status).toBe(2);
  });
});

describe("mixtune tasks show", () => {
  test("marks what is trained on, and prints nothing that a terminal would obey", async () => {
    const hostile = { text: "\u001b[31mred\u0007 and \u202eback\u200b wards, in a row of its own", team: "cards" };
    csv("train.csv", [...STORIES.slice(5), hostile]);
    csv("test.csv", [hostile]);
    study();
    const { status, stdout } = await run("tasks", "show", "teams", "--study", "study.yaml", "--split", "test");
    expect(stdout).toContain("\\u{1b}[31mred\\u{7} and \\u{202e}back\\u{200b} wards");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202e]/);
    expect(stdout).toMatch(/Answer:⟦ cards<\|endoftext\|>⟧/);
    expect(status).toBe(0);
    const checked = await run("tasks", "check", "study.yaml");
    expect(checked.status).toBe(2);
    const refused = await run("plan", "study.yaml");
    expect(refused.stderr).toContain("\\u{1b}[31mred");
    expect(checked.stdout + checked.stderr + refused.stderr).not.toContain("\u001b");
  });

  test("--json has each token with its id and whether it is trained on", async () => {
    const { status, stdout } = await run("tasks", "show", "gen-sentiment", "--json", "--split", "dev", "--limit", "2");
    const { split, examples } = JSON.parse(stdout) as {
      split: string;
      examples: { answer: string; tokens: { id: number; text: string; trained: boolean }[] }[];
    };
    expect(split).toBe("dev");
    expect(examples).toHaveLength(2);
    for (const { answer, tokens } of examples) {
      const text = (trained: boolean) =>
        tokens
          .filter((token) => token.trained === trained)
          .map((token) => token.text)
          .join("");
      expect(text(true)).toBe(` ${answer}<|endoftext|>`);
      expect(text(false)).toMatch(/Answer:$/);
      expect(tokens.every(({ id }) => Number.isInteger(id))).toBe(true);
    }
    expect(status).toBe(0);
  });

  test("takes the study's loss_on, and names the nearest key of a wrong word", async () => {
    csv("train.csv", STORIES.slice(5));
    csv("test.csv", STORIES.slice(0, 5));
    study();
    const all = await run(
      "tasks",
      "show",
      "teams",
      "train.loss_on=all",
      "--study",
      "study.yaml",
      "--json",
      "--limit",
      "1",
    );
    const { tokens } = JSON.parse(all.stdout).examples[0] as { tokens: { trained: boolean }[] };
    expect(tokens.map(({ trained }) => trained)).toEqual(tokens.map((_, i) => i > 0));
    const wrong = await run("tasks", "show", "gen-sentiment", "varient=x");
    expect(wrong.stderr).toContain("Did you mean variant?");
    expect(wrong.status).toBe(2);
  });
});
