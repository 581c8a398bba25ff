/** @file A study directory to what its report shows. Reads files, changes nothing, knows no clock: the same files give the same report. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { MixtuneError } from "../base/errors.ts";
import { readMetrics, readReceipt, readSpec, readStatus, runPaths } from "../runs/run-dir.ts";
import type { MetricsLine, Prediction } from "../runs/types.ts";
import { METRICS } from "../specs/metrics.ts";
import type { Amount } from "../specs/types.ts";
import { designEffect, minimumDetectableDifference } from "../stats/detectable.ts";
import { expectedMaximumCurve } from "../stats/expected-maximum.ts";
import { baselineNormalised, interquartileMeanInterval } from "../stats/interquartile-mean.ts";
import { mean, variance } from "../stats/moments.ts";
import { aloneRow, analyseStudy, type Cell, type ReadScored, type Row, type StudyTable } from "./analyse.ts";
import {
  addedEffects,
  bestOfTask,
  type ModelItems,
  pairEffects,
  studyItems,
  versusAlone,
  versusUntuned,
} from "./comparisons.ts";
import { itemScoreName, sourcesOf } from "./items.ts";
import { readLedger } from "./ledger.ts";
import { readStudyLock, type StudyLock } from "./lock-file.ts";
import { methodsOf } from "./methods.ts";
import { doseCombinations } from "./plan.ts";
import type {
  AggregateScore,
  DoseCurve,
  ExpectedMaximumCurve,
  IngredientEffects,
  ItemDisagreements,
  MixtureDifference,
  ReportCell,
  ReportData,
  ReportRow,
  ReportRun,
  ReportTask,
  RunLosses,
  TaskAnswer,
} from "./report-data.ts";
import { runDir, scoredReader } from "./scored.ts";

/** Points of a loss curve. */
const MAX_POINTS = 200;
/** Items of the disagreement browser in a whole report. */
const MAX_ITEMS = 200;
/** Events of the ledger that are shown: the last. */
const MAX_EVENTS = 500;
/** Chances of being best that are shown. */
const SHOWN_CHANCE = 0.01;
const BOOTSTRAP_SEED = 1;

/**
 * All that the report of a study shows.
 * @throws {DataError} no study directory
 */
export function reportOf(studyDir: string): ReportData {
  const lock = readStudyLock(studyDir);
  const remarks = new Set<string>();
  const read = scoredReader(studyDir, (message) => remarks.add(message));
  const table = analyseStudy(lock, read);
  const models = [...new Set(lock.runs.map(({ model }) => model))];
  const items = studyItems(table, models, lock, read);
  const runs = runsOf(studyDir, lock, table, remarks);
  for (const remark of remarksOf(studyDir, lock, table, items, read)) remarks.add(remark);
  const costs = runs.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  const sum = (key: "seconds" | "tokens" | "flops") => costs.reduce((total, cost) => total + cost[key], 0);
  return {
    format: 1,
    name: table.name,
    versions: versionsOf(studyDir, lock),
    remarks: [...remarks],
    numRuns: table.numRuns,
    numDone: table.numDone,
    seeds: lock.study.seeds,
    models,
    tasks: tasksOf(lock, table, items, read),
    rows: table.rows.map((row, i) => rowOf(row, i, lock, table)),
    sentence: table.sentence,
    answers: answersOf(lock, table, items),
    differences: versusAlone(table, items, lock).map(finite),
    effects: effectsOf(lock, table, items),
    curves: curvesOf(lock, table),
    expectedMaximum: expectedMaximumOf(lock, table, items),
    retention: versusUntuned(table, items, lock).map(finite),
    aggregate: aggregateOf(lock, table),
    losses: lossesOf(studyDir, runs),
    disagreements: disagreementsOf(lock, table, read),
    runs,
    ledger: ledgerOf(studyDir, table),
    cost: {
      seconds: sum("seconds"),
      tokens: sum("tokens"),
      flops: sum("flops"),
      peakMemoryBytes: Math.max(0, ...costs.map(({ peak_memory_bytes }) => peak_memory_bytes)),
    },
    methods: methodsOf(lock, table),
  };
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

function finite<T extends { low: number; high: number; pValue: number; pAdjusted: number }>(
  one: T,
): Omit<T, "low" | "high" | "pValue" | "pAdjusted"> & Pick<MixtureDifference, "low" | "high" | "pValue" | "pAdjusted"> {
  const { low, high, pValue, pAdjusted } = one;
  return { ...one, low: orNull(low), high: orNull(high), pValue: orNull(pValue), pAdjusted: orNull(pAdjusted) };
}

function versionsOf(studyDir: string, lock: StudyLock): string[] {
  const seen = new Set([`mixtune ${lock.mixtune}`]);
  for (const { id } of lock.runs) {
    const receipt = attempt(() => readReceipt(runDir(studyDir, id)));
    for (const [name, version] of Object.entries(receipt?.versions ?? {})) seen.add(`${name} ${version}`);
  }
  return [...seen].sort();
}

function attempt<T>(look: () => T, onProblem: (message: string) => void = () => {}): T | undefined {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof MixtuneError)) throw error;
    onProblem(error.message);
    return undefined;
  }
}

function remarksOf(
  studyDir: string,
  lock: StudyLock,
  table: StudyTable,
  items: readonly ModelItems[],
  read: ReadScored,
): string[] {
  const remarks: string[] = [];
  if (table.numDone < table.numRuns)
    remarks.push(`${table.numRuns - table.numDone} of ${table.numRuns} runs are not done.`);
  const known = new Set(lock.runs.map(({ id }) => id));
  const folder = join(studyDir, "runs");
  const others = existsSync(folder) ? readdirSync(folder).filter((name) => !known.has(name)) : [];
  if (others.length > 0) remarks.push(`Not in this study's plan, and left out: ${others.sort().join(", ")} in runs/.`);
  const sources = table.rows.flatMap((row) => sourcesOf(row, read));
  const scorers = new Set(
    sources.flatMap(({ scores }) =>
      Object.values(scores?.tasks ?? {}).flatMap((splits) => Object.values(splits).map((one) => one.scorers ?? 0)),
    ),
  );
  if (scorers.size > 1) {
    remarks.push(
      `Scores were made by scorers of different numbers (${[...scorers].sort().join(", ")}): mixtune eval --rescore ${lock.study.name} judges all alike.`,
    );
  }
  for (const { task, odd, leftOut } of items) {
    for (const row of odd) {
      remarks.push(`${task}: ${table.rows[row]!.name} has predictions of other test items, and is compared with none.`);
    }
    if (leftOut > 0)
      remarks.push(`${task}: ${leftOut} test items have no ${task} score under some row and are compared under none.`);
  }
  return remarks;
}

function tasksOf(lock: StudyLock, table: StudyTable, items: readonly ModelItems[], read: ReadScored): ReportTask[] {
  const scores = table.rows.flatMap((row) => sourcesOf(row, read).flatMap((one) => one.scores ?? []));
  return table.tasks.map(({ name, metric }): ReportTask => {
    const most = (split: "dev" | "test") => Math.max(0, ...table.rows.map((row) => row.cells[name]![split].n));
    const own = items.filter(({ task }) => task === name);
    const { licence, source } = lock.tasks[name]!;
    const groups = (split: "dev" | "test") =>
      Math.max(0, ...scores.map(({ tasks }) => tasks[name]?.[split]?.n_groups ?? 0));
    return {
      name,
      metric,
      itemMetric: METRICS[metric].item,
      role: lock.study.tasks[name]?.evaluation_only === true ? "evaluated only" : "target",
      n: { dev: most("dev"), test: most("test") },
      groups: { dev: groups("dev"), test: groups("test") },
      unit: metric === "answer_logprob" ? "nats a token" : "points",
      licence,
      source,
      detectable: orNull(Math.max(...own.map((one) => detectableOf(one, table, lock)))),
    };
  });
}

/** The smallest difference of two mixtures that such a test set and so many seeds find in four of five cases, from what the runs show. */
function detectableOf({ scores, groups, seeds }: ModelItems, { rows }: StudyTable, lock: StudyLock): number {
  const trained = [...scores].filter(([row]) => rows[row]!.kind === "mixture").map(([, one]) => one[0]!);
  const [first, ...others] = trained;
  if (first === undefined || others.length === 0) return Number.NaN;
  const differences = others.map((one) => one.map((score, i) => score - first[i]!));
  const itemVariance = mean(differences.map(variance));
  const effects = differences.map((one) => designEffect(one, groups)).filter((effect) => !Number.isNaN(effect));
  const beyondNoise = Math.max(0, seeds.variance - (seeds.noise?.variance ?? 0));
  return minimumDetectableDifference({
    numItems: groups.length,
    itemVariance,
    ...(effects.length > 0 ? { designEffect: mean(effects) } : {}),
    ...(seeds.df > 0 ? { seeds: { numSeeds: lock.study.seeds.length, variance: beyondNoise, df: seeds.df } } : {}),
  });
}

function rowOf(row: Row, index: number, lock: StudyLock, table: StudyTable): ReportRow {
  const mixture = lock.runs.find(({ id }) => id === row.runs[0])?.mixture;
  const chosenFor = Object.entries(table.chosen[row.model ?? ""] ?? {}).filter(([, chosen]) => chosen === index);
  const cells = Object.entries(row.cells).map(([task, { dev, test }]) => [
    task,
    { dev: cellOf(dev), test: cellOf(test) },
  ]);
  return {
    kind: row.kind,
    name: row.name,
    model: row.model ?? null,
    factors: Object.fromEntries(Object.entries(row.factors).map(([key, value]) => [key, String(value)])),
    ingredients: Object.fromEntries(
      Object.entries(mixture?.ingredients ?? {}).map(([name, amount]) => [name, amountText(amount)]),
    ),
    runs: row.runs,
    cells: Object.fromEntries(cells),
    chosenFor: chosenFor.map(([task]) => task),
  };
}

function amountText(amount: Amount): string {
  const said = Object.entries(amount).map(([key, value]) => `${key} ${String(value)}`);
  return said.length === 0 ? "all" : said.join(", ");
}

function cellOf({ mean, sd, values, n, low, high }: Cell): ReportCell {
  return { mean: orNull(mean), sd: orNull(sd), values, n, low: orNull(low), high: orNull(high) };
}

function answersOf(lock: StudyLock, table: StudyTable, items: readonly ModelItems[]): TaskAnswer[] {
  return items.flatMap((one): TaskAnswer[] => {
    const chosen = table.chosen[one.model]?.[one.task];
    if (chosen === undefined || lock.study.tasks[one.task]?.evaluation_only === true) return [];
    const row = table.rows[chosen]!;
    const reference = aloneRow(table.rows, row, one.task, lock);
    const found = table.comparisons.find(({ task, model }) => task === one.task && model === one.model);
    const best = bestOfTask(table, one, reference);
    const { selected } = best;
    const answer = {
      task: one.task,
      model: one.model,
      chosen,
      reference: reference ?? null,
      difference: orNull(found?.difference),
      low: orNull(found?.low),
      high: orNull(found?.high),
      pValue: orNull(found?.pValue),
      pAdjusted: orNull(found?.pAdjusted),
      familySize: found?.familySize ?? 0,
      verdict: found?.verdict ?? ("no reference" as const),
      chanceOfBest: best.chances.filter(({ chance }) => chance >= SHOWN_CHANCE).toSorted((a, b) => b.chance - a.chance),
      selected:
        selected === undefined
          ? null
          : {
              row: selected.row,
              estimate: selected.estimate,
              low: orNull(selected.low),
              high: orNull(selected.high),
              candidates: selected.numCandidates,
            },
    };
    return [{ ...answer, text: answerText(answer, table) }];
  });
}

function answerText(answer: Omit<TaskAnswer, "text">, { rows, tasks }: StudyTable): string {
  const { metric } = tasks.find(({ name }) => name === answer.task)!;
  const amount = (value: number | null) => amountIn(value, metric);
  const { verdict, difference, low, high, pAdjusted, familySize } = answer;
  const chosen = rows[answer.chosen]!.name;
  const chance = answer.chanceOfBest.find(({ row }) => row === answer.chosen)?.chance;
  const best = chance === undefined ? "" : ` Its chance of being the best mixture of all here is ${percent(chance)}.`;
  if (verdict === "no reference")
    return `Dev chooses ${chosen}; training on the task alone is not among the runs.${best}`;
  if (verdict === "same") return `Dev chooses training on the task alone (${chosen}): no mixture promised more.${best}`;
  const interval = low === null ? "no interval with one seed" : `95 % interval ${amount(low)} to ${amount(high)}`;
  const p =
    pAdjusted === null ? "" : `, p ${pAdjusted < 0.001 ? "< 0.001" : pAdjusted.toFixed(3)} corrected for ${familySize}`;
  const gain = `${amount(difference)} against training on the task alone (${interval}${p})`;
  if (verdict === "not distinguishable") return `Dev chooses ${chosen}: ${gain}; not distinguishable from it.${best}`;
  return `Dev chooses ${chosen}, which is ${verdict} training on the task alone: ${gain}.${best}`;
}

function amountIn(value: number | null, metric: string): string {
  if (value === null) return "-";
  const sign = value > 0 ? "+" : "";
  return metric === "answer_logprob"
    ? `${sign}${value.toFixed(3)} nats a token`
    : `${sign}${(100 * value).toFixed(1)} points`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function effectsOf(lock: StudyLock, table: StudyTable, items: readonly ModelItems[]): IngredientEffects[] {
  const hasPairs = lock.study.design.some((part) => part === "pairs" || part === "paper-55");
  return items.flatMap((one): IngredientEffects[] => {
    const model = addedEffects(table, one, lock);
    if (model === undefined) return [];
    const withPairs = hasPairs ? pairEffects(table, one, lock) : undefined;
    const synergies = withPairs?.effects.filter(({ term }) => term.includes(" x ")) ?? [];
    const effects = [...model.effects, ...synergies].map(({ term, effect, low, high, pValue }) => {
      return { term, effect, low: orNull(low), high: orNull(high), pValue: orNull(pValue), pAdjusted: null };
    });
    const notEstimable = [...new Set([...model.notEstimable, ...(withPairs?.notEstimable ?? [])])];
    return [
      {
        task: one.task,
        model: one.model,
        effects,
        notEstimable,
        numRuns: model.numRuns,
        text: effectText(effects, one),
      },
    ];
  });
}

function effectText(effects: IngredientEffects["effects"], { task, metric }: ModelItems): string {
  const sure = effects.filter(({ term, low, high }) => !term.includes(" x ") && low !== null && (low > 0 || high! < 0));
  if (sure.length === 0) return `No ingredient's effect on ${task} can be told from none.`;
  const said = sure.map(
    ({ term, effect }) => `${term} ${effect > 0 ? "helps" : "hurts"} (${amountIn(effect, metric)})`,
  );
  return `On ${task}, over all mixtures: ${said.join(", ")}; the intervals are not corrected for their number.`;
}

/** Lines over what varies as a number: a mixer's dose, or a factor. */
function curvesOf(lock: StudyLock, table: StudyTable): DoseCurve[] {
  const doses = doseCombinations(lock.study);
  const varied = Object.entries(lock.study.mixers).filter(
    ([, { role, dose }]) => role === "always" && (dose ?? [1]).length > 1,
  );
  const rows = table.rows.flatMap((row) => {
    if (row.kind !== "mixture") return [];
    const combination = doses
      .filter(({ suffix }) => row.name.endsWith(suffix))
      .toSorted((a, b) => b.suffix.length - a.suffix.length)[0];
    const at =
      combination === undefined ? {} : Object.fromEntries(varied.map(([name]) => [name, combination.doses[name]!]));
    const plain = combination === undefined ? row.name : row.name.slice(0, row.name.length - combination.suffix.length);
    const settings: Record<string, unknown> = {
      ...Object.fromEntries(Object.entries(at).map(([name, x]) => [`dose of ${name}`, x])),
      ...row.factors,
    };
    return [{ row, plain, settings }];
  });
  const numeric = [...new Set(rows.flatMap(({ settings }) => Object.keys(settings)))].filter((of) =>
    rows.every(({ settings }) => settings[of] === undefined || typeof settings[of] === "number"),
  );
  return numeric
    .flatMap((of) =>
      [...new Set(rows.map(({ row }) => row.model ?? ""))].flatMap((model) =>
        table.tasks.map(({ name: task }): DoseCurve => {
          const lines = new Map<string, DoseCurve["series"][number]["points"]>();
          for (const { row, plain, settings } of rows) {
            const x = settings[of];
            const { values, mean } = row.cells[task]!.test;
            if (row.model !== model || typeof x !== "number" || values.length === 0) continue;
            const rest = Object.entries(settings).filter(([key]) => key !== of);
            const name = [plain, ...rest.map(([key, value]) => `${key} ${String(value)}`)].join(", ");
            lines.set(name, [...(lines.get(name) ?? []), { x, values, mean }]);
          }
          const series = [...lines].map(([name, points]) => ({ name, points: points.toSorted((a, b) => a.x - b.x) }));
          return { task, model, of, series: series.filter(({ points }) => points.length > 1), text: "" };
        }),
      ),
    )
    .filter(({ series }) => series.length > 0)
    .map((curve) => ({ ...curve, text: curveText(curve) }));
}

function curveText({ of, series }: DoseCurve): string {
  const best = series.map(({ name, points }) => {
    const top = points.reduce((a, b) => (b.mean > a.mean ? b : a));
    return `${name}: highest mean at ${top.x}`;
  });
  return `${of}. ${best.join("; ")}. The highest of several means is partly luck.`;
}

function expectedMaximumOf(lock: StudyLock, table: StudyTable, items: readonly ModelItems[]): ExpectedMaximumCurve[] {
  return items.flatMap(({ task, model }): ExpectedMaximumCurve[] => {
    const mixtures = table.rows.filter((row) => row.kind === "mixture" && row.model === model);
    const valuesOf = (rows: readonly Row[]) => rows.flatMap((row) => row.cells[task]!.test.values);
    const alone = mixtures.filter((row) => aloneRow([row], row, task, lock) === 0);
    const arms = [
      { name: "any mixture", values: valuesOf(mixtures) },
      { name: "the task alone", values: valuesOf(alone) },
    ].filter(({ values }) => values.length > 1);
    const curves = arms.map(({ name, values }) => {
      const points = expectedMaximumCurve(values, { seed: BOOTSTRAP_SEED });
      return {
        name,
        points: points.map(({ k, expected, low, high }) => ({ k, expected, low: orNull(low), high: orNull(high) })),
      };
    });
    return curves.length === 0 ? [] : [{ task, model, curves }];
  });
}

/** Over target tasks whose metric is a share: others have no perfect score. */
function aggregateOf(lock: StudyLock, table: StudyTable): AggregateScore[] {
  const majority = table.rows.find(({ kind }) => kind === "majority");
  const tasks = table.tasks.filter(
    ({ name, metric }) => metric !== "answer_logprob" && lock.study.tasks[name]?.evaluation_only !== true,
  );
  return table.rows.flatMap((row, index): AggregateScore[] => {
    if (row.kind === "majority") return [];
    const scores = tasks.map(({ name }) => {
      const least = majority?.cells[name]?.test.mean ?? 0;
      return row.cells[name]!.test.values.map((value) => baselineNormalised(value, Number.isNaN(least) ? 0 : least));
    });
    if (tasks.length < 2 || scores.some((values) => values.length === 0)) return [];
    const { estimate, low, high } = interquartileMeanInterval(scores, { seed: BOOTSTRAP_SEED });
    return [{ row: index, iqm: estimate, low: orNull(low), high: orNull(high), numTasks: tasks.length }];
  });
}

function lossesOf(studyDir: string, runs: readonly ReportRun[]): RunLosses[] {
  return runs.flatMap(({ id }) => {
    const dir = runDir(studyDir, id);
    const lines = existsSync(runPaths.metrics(dir)) ? (attempt(() => readMetrics(dir)) ?? []) : [];
    return lines.length === 0 ? [] : [thinned(id, lines)];
  });
}

/** Means of equal stretches of steps. */
function thinned(run: string, lines: readonly MetricsLine[]): RunLosses {
  const stretch = Math.ceil(lines.length / MAX_POINTS);
  const parts = Array.from({ length: Math.ceil(lines.length / stretch) }, (_, i) =>
    lines.slice(i * stretch, (i + 1) * stretch),
  );
  const names = [...new Set(lines.flatMap(({ loss_per_task }) => Object.keys(loss_per_task)))].sort();
  const meanOf = (part: readonly MetricsLine[], value: (line: MetricsLine) => number | undefined) => {
    const values = part.flatMap((line) => value(line) ?? []).filter(Number.isFinite);
    return orNull(rounded(mean(values)));
  };
  return {
    run,
    steps: parts.map((part) => part.at(-1)!.step),
    loss: parts.map((part) => meanOf(part, ({ loss }) => loss)),
    perTask: Object.fromEntries(
      names.map((name) => [name, parts.map((part) => meanOf(part, ({ loss_per_task }) => loss_per_task[name]))]),
    ),
    dev: lines.flatMap(({ step, dev_loss }) => (dev_loss === undefined ? [] : [{ step, losses: dev_loss }])),
  };
}

/** Losses are drawn, not read: four digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** For each task the chosen mixture against training on the task alone, their first seeds. */
function disagreementsOf(lock: StudyLock, table: StudyTable, read: ReadScored): ItemDisagreements[] {
  const pairs = Object.values(table.chosen).flatMap((byTask) =>
    Object.entries(byTask).flatMap(([task, a]) => {
      const b = aloneRow(table.rows, table.rows[a]!, task, lock);
      return b === undefined || a === b ? [] : [{ task, a, b }];
    }),
  );
  const share = Math.max(1, Math.floor(MAX_ITEMS / Math.max(1, pairs.length)));
  return pairs.flatMap(({ task, a, b }): ItemDisagreements[] => {
    const { metric } = table.tasks.find(({ name }) => name === task)!;
    const name = itemScoreName(metric, table.scoring);
    const answersOf = (row: number) => sourcesOf(table.rows[row]!, read)[0]?.predictions(task, "test") ?? [];
    const others = new Map(answersOf(b).map((one) => [one.id, one]));
    const differing = answersOf(a).flatMap((one) => {
      const other = others.get(one.id);
      return other !== undefined && one.scores[name] !== other.scores[name] ? [{ one, other }] : [];
    });
    if (differing.length === 0) return [];
    const isBetter = ({ one, other }: { one: Prediction; other: Prediction }) =>
      one.scores[name]! > other.scores[name]!;
    const sides = [differing.filter(isBetter), differing.filter((pair) => !isBetter(pair))] as const;
    const shown = sides.flatMap((side) => side.slice(0, Math.ceil(share / 2)));
    return [
      {
        task,
        a,
        b,
        onlyA: sides[0].length,
        onlyB: sides[1].length,
        items: shown.map((pair) => shownItem(pair, isBetter(pair))),
        leftOut: differing.length - shown.length,
      },
    ];
  });
}

/** Longest text of an answer in the report. */
const MAX_TEXT = 600;

function shownItem(
  { one, other }: { one: Prediction; other: Prediction },
  aRight: boolean,
): ItemDisagreements["items"][number] {
  const cut = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
  const names = [...new Set([...Object.keys(one.scores), ...Object.keys(other.scores)])];
  return {
    id: one.id,
    gold: cut(one.gold),
    a: cut(one.output),
    b: cut(other.output),
    aRight,
    scores: Object.fromEntries(names.map((key) => [key, [orNull(one.scores[key]), orNull(other.scores[key])]])),
  };
}

function runsOf(studyDir: string, lock: StudyLock, table: StudyTable, remarks: Set<string>): ReportRun[] {
  const ids = [...new Set(lock.runs.map(({ id }) => id))];
  const flat = new Map(
    ids.map((id) => {
      const dir = runDir(studyDir, id);
      const spec = existsSync(runPaths.spec(dir))
        ? attempt(
            () => readSpec(dir),
            (message) => remarks.add(message),
          )
        : undefined;
      return [id, flattened(spec ?? {}, "")] as const;
    }),
  );
  const written = [...flat.values()].filter((one) => Object.keys(one).length > 0);
  const keys = [...new Set(written.flatMap(Object.keys))].filter(
    (key) => new Set(written.map((one) => one[key] ?? "")).size > 1,
  );
  return ids.map((id): ReportRun => {
    const dir = runDir(studyDir, id);
    const status = attempt(
      () => readStatus(dir),
      (message) => remarks.add(message),
    );
    const own = flat.get(id)!;
    return {
      id,
      row: table.rows.findIndex(({ runs }) => runs.includes(id)),
      seed: lock.runs.find((run) => run.id === id)!.seed,
      state: status?.state ?? "planned",
      reason: status?.reason ?? null,
      cost:
        attempt(
          () => readReceipt(dir)?.cost,
          (message) => remarks.add(message),
        ) ?? null,
      differs: Object.fromEntries(keys.sort().flatMap((key) => (own[key] === undefined ? [] : [[key, own[key]]]))),
    };
  });
}

function flattened(value: unknown, path: string): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return path === "" ? {} : { [path]: JSON.stringify(value) };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, member]) => flattened(member, path === "" ? key : `${path}.${key}`)),
  );
}

function ledgerOf(studyDir: string, table: StudyTable): ReportData["ledger"] {
  const lines = attempt(() => readLedger(studyDir)) ?? [];
  const events = lines.map(({ time, event, run, detail }) => {
    return { time, event, run, detail: detail === undefined ? "" : JSON.stringify(detail) };
  });
  return {
    testOpened: lines.filter(({ event }) => event === "test_opened").length,
    candidates: table.rows.filter(({ kind }) => kind === "mixture").length,
    events: events.slice(-MAX_EVENTS),
    leftOut: Math.max(0, events.length - MAX_EVENTS),
  };
}
