/** @file A report's data made up from a seed: several models, controls, values that do not exist, long names, and hostile text where asked. */

import { Rng } from "../../src/base/rng.ts";
import type {
  ItemDisagreements,
  ReportCell,
  ReportData,
  ReportRow,
  ReportRun,
  ReportTask,
  RunLosses,
  TaskAnswer,
} from "../../src/study/report-data.ts";

export interface MadeUp {
  models?: string[];
  /** Names of the ingredients, each also a target task. */
  ingredients?: string[];
  /** Further tasks that are only evaluated. */
  numEvaluatedOnly?: number;
  numMixtures?: number;
  seeds?: number[];
  /** Items of each pair in the disagreement browser. */
  numItems?: number;
  numSteps?: number;
}

/** Text that would run, or end an element, where it were taken for HTML; setting `planted` on the window tells. */
export const HOSTILE =
  "</script><script>window.planted=1</script><img src=x onerror=window.planted=1>\u2028<!--<script>\u2029\"'`{{planted}}";

const INGREDIENTS = [
  "fpb",
  "fiqa-sa",
  "headline",
  "ner",
  "finred",
  "convfinqa",
  "a-target-with-an-unusually-long-name-that-must-wrap-somewhere",
];

/** The same for the same seed and options. */
export function makeReportData(seed: number, options: MadeUp = {}): ReportData {
  const {
    models = ["mixtune/tiny", "org/a-larger-model-1b"],
    ingredients = INGREDIENTS,
    numEvaluatedOnly = 2,
    numMixtures = 2 * ingredients.length + 4,
    seeds = [1, 2, 3],
    numItems = 12,
    numSteps = 120,
  } = options;
  const rng = new Rng(seed, "report-data");
  const others = Array.from({ length: numEvaluatedOnly }, (_, i) => `general-${i + 1}`);
  const tasks: ReportTask[] = [...ingredients, ...others].map((name, i) => ({
    name,
    metric: i % 5 === 4 ? "answer_logprob" : i % 2 === 0 ? "weighted_f1" : "accuracy",
    role: others.includes(name) ? "evaluated only" : "target",
    n: { dev: 200, test: 400 + 10 * i },
    groups: { dev: 180, test: 380 },
    unit: i % 5 === 4 ? "nats a token" : "points",
    licence: i % 3 === 0 ? "CC-BY-4.0" : "unknown",
    source: `https://example.org/${i}`,
    detectable: i === 1 ? null : 0.02 + 0.003 * i,
  }));
  const mixtures = designOf(rng.fork("design"), ingredients, numMixtures);
  const runs: ReportRun[] = [];
  const cell = (base: number, numSeeds: number, draw: Rng): ReportCell => {
    const values = Array.from({ length: numSeeds }, () => base + 0.02 * draw.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / numSeeds;
    const sd =
      numSeeds > 1 ? Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (numSeeds - 1)) : null;
    return { mean, sd, values, n: 400, low: mean - 0.04, high: mean + 0.04 };
  };
  const nothing: ReportCell = { mean: null, sd: null, values: [], n: 0, low: null, high: null };
  const rowOf = (
    kind: ReportRow["kind"],
    name: string,
    model: string | null,
    level: number,
    members: string[],
  ): ReportRow => {
    const draw = forked(rng, `${kind} ${name} ${model}`);
    const isTrained = kind === "mixture" || kind === "control";
    const cells = Object.fromEntries(
      tasks.map(({ name: task, unit }, i) => {
        if (kind === "hosted" && i > 1) return [task, { dev: nothing, test: nothing }];
        const base =
          unit === "points"
            ? level + (members.includes(task) ? 0.12 : 0) + 0.03 * draw.normal()
            : -2 + level + 0.1 * draw.normal();
        return [
          task,
          { dev: cell(base, isTrained ? seeds.length : 1, draw), test: cell(base, isTrained ? seeds.length : 1, draw) },
        ];
      }),
    );
    return {
      kind,
      name,
      model,
      factors: {},
      ingredients: Object.fromEntries(members.map((member) => [member, "all"])),
      runs: [],
      cells,
      chosenFor: [],
    };
  };
  const rows: ReportRow[] = [
    rowOf("majority", "majority", null, 0.35, []),
    rowOf("ngram", "ngram", null, 0.5, []),
    rowOf("hosted", "a hosted model", null, 0.8, []),
    ...models.map((model) => rowOf("base", `${model} (untuned)`, model, 0.4, [])),
    ...models.flatMap((model) =>
      mixtures.map(({ name, members, factors }) => ({ ...rowOf("mixture", name, model, 0.55, members), factors })),
    ),
    ...models.map((model) => rowOf("control", "shuffled labels", model, 0.36, [])),
  ];
  const isFirst = (index: number) => index === 0;
  for (const [index, row] of rows.entries()) {
    if (row.kind !== "mixture" && row.kind !== "control") continue;
    for (const runSeed of seeds) {
      const id = `${index.toString(16).padStart(4, "0")}${runSeed.toString(16).padStart(2, "0")}c0ffee0123456789ab`;
      row.runs.push(id);
      const isFailed = runs.length === 5;
      runs.push({
        id,
        row: index,
        seed: runSeed,
        state: isFailed ? "failed" : "done",
        reason: isFailed ? "the loss is not a number at step 12" : null,
        cost: isFailed
          ? null
          : { tokens: 1_234_567 + 1000 * index, flops: 3.4e14, seconds: 61.5 + index, peak_memory_bytes: 812_345_678 },
        differs: {
          seed: String(runSeed),
          "mixture.tasks": Object.keys(row.ingredients).join(" + "),
          model: row.model ?? "",
        },
      });
    }
  }

  const answers: TaskAnswer[] = [];
  const differences: ReportData["differences"] = [];
  for (const model of models) {
    const own = rows.flatMap((row, index) => (row.kind === "mixture" && row.model === model ? [index] : []));
    for (const [t, task] of tasks.entries()) {
      const draw = forked(rng, `differences ${model} ${task.name}`);
      const reference = own[ingredients.indexOf(task.name)];
      if (reference === undefined) continue;
      for (const row of own) {
        if (row === reference) continue;
        const difference = 0.05 * draw.normal();
        const pAdjusted = draw.float();
        const isMissing = draw.int(9) === 0;
        differences.push({
          task: task.name,
          model,
          row,
          reference,
          difference,
          low: isMissing ? null : difference - 0.05,
          high: isMissing ? null : difference + 0.05,
          pValue: isMissing ? null : pAdjusted / 2,
          pAdjusted: isMissing ? null : pAdjusted,
          familySize: ingredients.length * (own.length - 1),
          mark: Math.abs(difference) > 0.06 ? (difference > 0 ? "above" : "below") : "none",
        });
      }
      const chosen = own[(t + 3) % own.length]!;
      rows[chosen]!.chosenFor.push(task.name);
      const verdict = (["above", "not distinguishable", "below", "same", "no reference"] as const)[t % 5]!;
      const difference =
        verdict === "no reference" ? null : verdict === "below" ? -0.031 : verdict === "above" ? 0.042 : 0.008;
      answers.push({
        task: task.name,
        model,
        chosen,
        reference: difference === null ? null : reference,
        difference,
        low: difference === null ? null : difference - 0.025,
        high: difference === null ? null : difference + 0.025,
        pValue: difference === null ? null : 0.02,
        pAdjusted: difference === null ? null : t === 0 ? 0.0004 : 0.08,
        familySize: tasks.length,
        verdict,
        offer: { verdict: "mixture", text: `take ${rows[chosen]!.name} (0.900 on 50 dev rows).` },
        chanceOfBest: [
          { row: chosen, chance: 0.46 },
          { row: reference, chance: 0.31 },
          { row: own.at(-1)!, chance: 0.02 },
        ],
        selected: t === 2 ? null : { row: own.at(-1)!, estimate: 0.71, low: 0.64, high: 0.77, candidates: own.length },
        text: `${rows[chosen]!.name} is chosen on dev.`,
      });
    }
  }
  const evaluatedOnly = tasks.filter(({ role }) => role === "evaluated only");
  const mixtureRows = rows.flatMap((row, index) => (row.kind === "mixture" ? [index] : []));
  const pairsOf = ingredients.flatMap((a, i) => ingredients.slice(i + 1).map((b) => `${a} x ${b}`));

  return {
    format: 1,
    name: "made-up study",
    versions: ["mixtune 0.1.0"],
    hints: [],
    remarks: ["1 run failed and is left out of every mean."],
    numRuns: runs.length,
    numDone: runs.filter(({ state }) => state === "done").length,
    seeds,
    models,
    tasks,
    rows,
    sentence: `Of ${mixtures.length} mixtures, one beats training on the task alone on one task of ${tasks.length}; on the others no mixture can be told from it.`,
    answers,
    take: answers.map(({ task, model, text, chosen }) => ({
      ...{ task, model, text, isOffered: true },
      name: rows[chosen]!.name,
      runs: rows[chosen]!.runs,
    })),
    differences,
    effects: models.flatMap((model) =>
      tasks.map(({ name }, t) => {
        const draw = forked(rng, `effects ${model} ${name}`);
        const terms = t === 0 || isFirst(t) || t % 2 === 0 ? [...ingredients, ...pairsOf] : ingredients;
        return {
          task: name,
          model,
          effects: terms.map((term) => {
            const effect = 0.04 * draw.normal();
            return {
              term,
              effect,
              low: effect - 0.03,
              high: effect + 0.03,
              pValue: 0.2,
              pAdjusted: Math.abs(effect) > 0.06 ? 0.01 : 0.4,
            };
          }),
          notEstimable: t === 1 ? pairsOf.slice(0, 2) : [],
          numRuns: runs.length / models.length,
          text: `${ingredients[0]} helps.`,
        };
      }),
    ),
    curves: models.flatMap((model) =>
      tasks.slice(0, 2).map(({ name }, t) => ({
        task: name,
        model,
        of: t === 0 ? `${name} rows` : "general dose",
        series: ["alone", "with the others"].map((series, i) => ({
          name: series,
          points: (t === 0 ? [100, 300, 1000, 4000] : [0, 0.25, 0.5, 1]).map((x, k) => {
            const values = seeds.map((s) => 0.5 + 0.04 * k + 0.02 * i + 0.004 * s);
            const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
            return { x, values, mean, low: mean - 0.01, high: mean + 0.01 };
          }),
          optimum: { x: t === 0 ? 4000 : 1, alike: [] },
        })),
        text: "From 1,000 rows on, the two cannot be told apart.",
      })),
    ),
    expectedMaximum: models.flatMap((model) =>
      tasks.slice(0, 3).map(({ name }) => ({
        task: name,
        model,
        curves: ["mixtures", "the task alone"].map((curve, i) => ({
          name: curve,
          points: Array.from({ length: 12 }, (_, k) => {
            const expected = 0.6 + 0.05 * Math.log(k + 1) - 0.02 * i;
            return { k: k + 1, expected, low: k < 8 ? expected - 0.02 : null, high: k < 8 ? expected + 0.02 : null };
          }),
        })),
        equalTrials: {
          numAlone: seeds.length,
          numMixtures: 12 * seeds.length,
          tries: seeds.map((_, k) => ({ k: k + 1, alone: 0.6 + 0.01 * k, mixtures: 0.61 + 0.012 * k })),
        },
      })),
    ),
    retention: evaluatedOnly.flatMap(({ name }) =>
      mixtureRows.map((row, i) => ({
        task: name,
        model: rows[row]!.model!,
        row,
        reference: rows.findIndex(({ kind, model }) => kind === "base" && model === rows[row]!.model),
        difference: -0.02 - 0.001 * i,
        low: -0.05 - 0.001 * i,
        high: 0.01 - 0.001 * i,
        pValue: 0.03,
        pAdjusted: 0.04,
        familySize: mixtureRows.length,
        mark: i % 4 === 0 ? ("below" as const) : ("none" as const),
      })),
    ),
    aggregate: mixtureRows.map((row, i) => ({
      row,
      iqm: 0.3 + 0.01 * (i % 7),
      low: 0.25,
      high: i % 5 === 0 ? null : 0.4,
      numTasks: tasks.length,
    })),
    losses: runs
      .filter(({ state }) => state === "done")
      .map(({ id, row }) => lossesOf(rng.fork(id), id, rows[row]!, numSteps)),
    disagreements: answers
      .filter(({ reference, chosen }) => reference !== null && reference !== chosen)
      .slice(0, 4)
      .map(
        ({ task, chosen, reference }): ItemDisagreements => ({
          task,
          a: chosen,
          b: reference!,
          onlyA: 31,
          onlyB: 22,
          items: Array.from({ length: numItems }, (_, i) => ({
            id: `test#${i}`,
            question: i === 1 ? null : `Net sales of unit ${i} fell by ${i} per cent.`,
            gold: i % 2 === 0 ? "positive" : "negative",
            a: i % 3 === 0 ? "positive" : "The sentiment is negative,\nsince sales fell.",
            b: i === 4 ? "" : "neutral",
            aRight: i % 3 !== 0,
            scores: { strict: [1, 0], lenient: [i % 2, null] },
          })),
          leftOut: 53 - numItems,
        }),
      ),
    runs,
    ledger: {
      testOpened: runs.length,
      candidates: mixtures.length,
      events: runs.slice(0, 40).flatMap(({ id }, i) =>
        (["started", "finished", "test_opened"] as const).map((event, k) => ({
          time: `2026-03-01T${String(i % 24).padStart(2, "0")}:${String(10 * k).padStart(2, "0")}:00.000Z`,
          event,
          run: id,
          detail: event === "test_opened" ? "all tasks" : "",
        })),
      ),
      leftOut: Math.max(0, 3 * (runs.length - 40)),
    },
    cost: {
      seconds: 61.5 * runs.length,
      tokens: 1_234_567 * runs.length,
      flops: 3.4e14 * runs.length,
      peakMemoryBytes: 812_345_678,
    },
    methods: [
      { title: "Differences", text: "Paired over test items and seeds.\n\nIntervals are at 95 %." },
      { title: "Versions", text: "mixtune 0.1.0" },
    ],
  };
}

/** Members that say what something is, and so are never hostile. */
const WORDS = new Set(["kind", "metric", "role", "unit", "state", "verdict", "mark"]);
/** Members whose keys are names. */
const BY_NAME = new Set(["cells", "ingredients", "factors", "perTask", "losses", "scores", "differs"]);

/** The same data with HOSTILE after every name, label, output and message in it. */
export function planted(data: ReportData): ReportData {
  const hostile = (value: unknown, member: string): unknown => {
    if (typeof value === "string") return WORDS.has(member) ? value : `${value}${HOSTILE}`;
    if (Array.isArray(value)) return value.map((element) => hostile(element, ""));
    if (typeof value !== "object" || value === null) return value;
    const isByName = BY_NAME.has(member);
    return Object.fromEntries(
      Object.entries(value).map(([key, of]) => [isByName ? `${key}${HOSTILE}` : key, hostile(of, key)]),
    );
  };
  return hostile(data, "") as ReportData;
}

/** Singles first, then what a few seeds of chance put together; the last ones vary a factor. */
function designOf(
  rng: Rng,
  ingredients: readonly string[],
  number: number,
): { name: string; members: string[]; factors: Record<string, string> }[] {
  return Array.from({ length: number }, (_, i) => {
    if (i < ingredients.length) return { name: ingredients[i]!, members: [ingredients[i]!], factors: {} };
    const members = rng.shuffle(ingredients).slice(0, 2 + rng.int(Math.max(1, ingredients.length - 2)));
    return { name: members.join(" + "), members, factors: i >= number - 2 ? { "train.learning_rate": `${i}e-4` } : {} };
  });
}

function lossesOf(rng: Rng, run: string, row: ReportRow, numSteps: number): RunLosses {
  const steps = Array.from({ length: numSteps }, (_, i) => 4 * (i + 1));
  const members = Object.keys(row.ingredients);
  const falling = (floor: number) => steps.map((step) => floor + Math.exp(-step / 150) + 0.03 * rng.normal());
  return {
    run,
    steps,
    loss: falling(1),
    perTask: Object.fromEntries(
      members.map((name, i) => [name, falling(0.6 + 0.1 * i).map((value) => (rng.int(8) === 0 ? null : value))]),
    ),
    dev: steps
      .filter((_, i) => i % 20 === 19)
      .map((step) => ({
        step,
        losses: Object.fromEntries(members.map((name, i) => [name, 0.8 + 0.1 * i + Math.exp(-step / 200)])),
      })),
  };
}

/** A stream by a name with a model's in it: names of streams have no slash. */
function forked(rng: Rng, name: string): Rng {
  return name.split("/").reduce((stream, part) => stream.fork(part), rng);
}
