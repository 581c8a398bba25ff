/** @file A study's runs as other trackers keep them: settings, numbers by step, last numbers. As JSON Lines and as TensorBoard's event files. */

import { attempt } from "../base/attempt.ts";
import { dotted } from "../base/dotted.ts";
import { formatJsonl } from "../formats/jsonl.ts";
import { encodeTfevents, type TensorboardEvent } from "../formats/tfevents.ts";
import { readMetrics, readReceipt, readScores, readSpec, readStatus } from "../runs/run-dir.ts";
import type { MetricsLine, Scores } from "../runs/types.ts";
import { runsOnce, type StudyLock } from "../study/lock-file.ts";
import { runDir } from "../study/scored.ts";

/** One run. */
export interface ExportedRun {
  id: string;
  /** Mixture, seed and the first of its id: unique, and good as the name of a folder. */
  name: string;
  /** Runs that differ in seed alone: the mixture. */
  group: string;
  /** spec.json, keys dotted. */
  config: Record<string, unknown>;
  /** Seconds since the epoch; 0 where it is not known. */
  started: number;
  history: { step: number; seconds: number; values: Record<string, number> }[];
  /** Scores, `test/<task>/<metric>`, and what the run cost. */
  summary: Record<string, number>;
}

/**
 * Those that have begun to train, each once, in the order of the plan.
 * @param onProblem  is told of damaged files, whose run then lacks what they hold
 */
export function exportedRuns(studyDir: string, lock: StudyLock, onProblem: (message: string) => void): ExportedRun[] {
  return runsOnce(lock).flatMap(({ id, mixture, seed }): ExportedRun[] => {
    const dir = runDir(studyDir, id);
    const history = (attempt(() => readMetrics(dir), onProblem) ?? []).map(historyLine);
    if (history.length === 0) return [];
    const cost = attempt(() => readReceipt(dir), onProblem)?.cost;
    const started = Date.parse(attempt(() => readStatus(dir), onProblem)?.started ?? "");
    return [
      {
        id,
        name: `${mixture.name}-seed${seed}-${id.slice(0, 8)}`.replace(/[^\w-]+/g, "_"),
        group: mixture.name,
        config: dotted(attempt(() => readSpec(dir), onProblem) ?? {}),
        started: Number.isNaN(started) ? 0 : started / 1000,
        history,
        summary: {
          ...scoresOf(attempt(() => readScores(dir), onProblem) ?? { tasks: {} }),
          ...(cost && finite({ "cost/seconds": cost.seconds, "cost/tokens": cost.tokens, "cost/flops": cost.flops })),
        },
      },
    ];
  });
}

function historyLine(line: MetricsLine): ExportedRun["history"][number] {
  const { step, loss, loss_per_task, grad_norm, learning_rate, tokens, seconds, dev_loss = {} } = line;
  const named = (prefix: string, values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}/${name}`, value]));
  const train = { loss, grad_norm, learning_rate, tokens };
  return {
    step,
    seconds,
    values: finite({
      ...named("train", train),
      ...named("train/loss", loss_per_task),
      ...named("dev/loss", dev_loss),
    }),
  };
}

function scoresOf({ tasks }: Scores): Record<string, number> {
  const all = Object.entries(tasks).flatMap(([task, splits]) =>
    Object.entries(splits).flatMap(([split, { metrics }]) =>
      Object.entries(metrics).map(([metric, { value }]) => [`${split}/${task}/${metric}`, value] as const),
    ),
  );
  return finite(Object.fromEntries(all));
}

function finite(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}

/** For each run a line with its config, a line a step under the names that wandb uses (`_step`, `_runtime`), and a line with its summary. */
export function runsJsonl(runs: readonly ExportedRun[]): string {
  return formatJsonl(
    runs.flatMap(({ id, name, group, config, history, summary }) => [
      { run_id: id, run_name: name, group, config },
      ...history.map(({ step, seconds, values }) => ({
        run_id: id,
        run_name: name,
        _step: step,
        _runtime: seconds,
        ...values,
      })),
      { run_id: id, run_name: name, summary },
    ]),
  );
}

/** One run's event file: numbers by step, the summary at its last step, the config as a text. */
export function runEvents({ config, started, history, summary }: ExportedRun): Uint8Array {
  const last = history.at(-1)!;
  const rows = Object.entries(config).map(([key, value]) => `| ${cell(key)} | ${cell(JSON.stringify(value))} |`);
  const events: TensorboardEvent[] = [
    { step: 0, wallTime: started, texts: { config: ["| key | value |", "| --- | --- |", ...rows].join("\n") } },
    ...history.map(({ step, seconds, values }) => ({ step, wallTime: started + seconds, scalars: values })),
    { step: last.step, wallTime: started + last.seconds, scalars: summary },
  ];
  return encodeTfevents(events);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
