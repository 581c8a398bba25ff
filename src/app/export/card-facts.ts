/** @file What is known of a model that is exported: of its run, its study and its base. */

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { attempt } from "../../base/attempt.ts";
import { CATALOGUE } from "../../data/catalogue.ts";
import { asked } from "../../data/tokens/turns.ts";
import { readText } from "../../formats/files.ts";
import { openGguf } from "../../formats/gguf.ts";
import { readScores } from "../../runs/run-dir.ts";
import type { MetricValue, Scores } from "../../runs/types.ts";
import type { AnswerSpec, TaskSpec } from "../../specs/types.ts";
import { findStudyLock, type StudyLock, studyAround } from "../../study/lock-file.ts";
import { ingredientTasks } from "../../study/plan.ts";
import { baselineDir } from "../../study/scored.ts";
import type { OpenedModel } from "../models/model-files.ts";
import { packageVersion } from "../package.ts";
import { type BaseKind, baseKind } from "./base-kind.ts";
import type { FormatName } from "./formats.ts";

/** What a model was fine-tuned from. */
export interface CardBase {
  /** As the study has it. */
  name: string;
  kind: BaseKind;
  licence?: string | undefined;
}

/** Something that the model was trained on. */
export interface CardTask {
  name: string;
  /** As a study has it. Undefined: the catalogue's, or as the shape of the rows has it. */
  prompt: string | undefined;
  isOfCatalogue: boolean;
  answer: AnswerSpec | undefined;
  licence: string;
  source: string;
}

/** Scores on a task's test split by its own metric. */
export interface CardScore {
  task: string;
  metric: string;
  n: number;
  model: MetricValue | undefined;
  majority: MetricValue | undefined;
  ngram: MetricValue | undefined;
}

/** All that a card says. */
export interface CardFacts {
  name: string;
  to: FormatName;
  /** Version of the program. */
  mixtune: string;
  /** Undefined: a model as it is, which nothing of ours has trained. */
  run: { id: string; mixture: string; seed: number; study: string | undefined } | undefined;
  base: CardBase;
  template: "chat" | "plain";
  /** The model's whole input and answer for a question. */
  conversation: { prompt: string; answer: string };
  tasks: readonly CardTask[];
  scores: readonly CardScore[];
  notes: readonly string[];
}

/** Stands for a question where no task has a prompt to show. */
export const QUESTION = "Your question";

/** What a card says. Scores that are damaged count as missing. @param name  for people */
export function cardFacts(
  opened: OpenedModel,
  { name, to, notes }: { name: string; to: FormatName; notes: readonly string[] },
): CardFacts {
  const { ref, spec, template } = opened;
  const studyDir = ref.kind === "run" ? studyAround(ref.dir) : undefined;
  const lock = studyDir === undefined ? undefined : findStudyLock(studyDir);
  return {
    ...{ name, to, mixtune: packageVersion(), notes, base: baseOf(opened), template: template.name },
    run: spec && {
      ...{ id: basename(ref.dir), mixture: spec.mixture.name, seed: spec.seed },
      study: lock?.study.name,
    },
    conversation: { prompt: template.render(asked(QUESTION)), answer: template.answerText("its answer") },
    tasks: Object.keys(spec?.mixture.ingredients ?? {}).map((one) => taskOf(one, lock)),
    // those of a run are of the checkpoint that it was evaluated with
    scores:
      studyDir && lock && ref.kind === "run" && ref.checkpoint === undefined ? scoresOf(ref.dir, studyDir, lock) : [],
  };
}

function baseOf({ ref, spec, model }: OpenedModel): CardBase {
  const name = ref.kind === "folder" ? ref.name : spec!.model.name;
  const kind = baseKind(name);
  return { name, kind, licence: attempt(() => licenceOf(name, kind, model.folder)) };
}

/** As the model's own files say: the head of its README.md, or a key of its GGUF. */
function licenceOf(name: string, kind: BaseKind, folder: string): string | undefined {
  if (kind === "gguf") {
    const value = openGguf(name).values.get("general.license");
    return value !== undefined && "value" in value ? String(value.value) : undefined;
  }
  if (!existsSync(join(folder, "README.md"))) return undefined;
  const head = /^---\n(.*?)\n---\n/s.exec(readText(join(folder, "README.md")))?.[1];
  return head && /^license: *["']?([^\n"']+)/m.exec(head)?.[1]?.trim();
}

function taskOf(name: string, lock: StudyLock | undefined): CardTask {
  const spec: TaskSpec | undefined = lock && ingredientTasks(lock.study)[name];
  const entry = CATALOGUE[spec?.catalogue ?? name];
  const { licence = "not known here", source = "not known here" } = lock?.tasks[name] ?? {};
  const isOfCatalogue = spec === undefined ? entry !== undefined : spec.data === undefined;
  const answer = spec?.answer ?? (isOfCatalogue ? entry?.answer : undefined);
  return { name, prompt: spec?.prompt, isOfCatalogue, answer, licence, source };
}

function scoresOf(dir: string, studyDir: string, lock: StudyLock): CardScore[] {
  const scoresIn = (folder: string) => attempt(() => readScores(folder));
  const baseline = (kind: "majority" | "ngram") => {
    const found = lock.baselines.find((one) => one.kind === kind);
    return found && scoresIn(baselineDir(studyDir, found.id));
  };
  const own = scoresIn(dir);
  const others = { majority: baseline("majority"), ngram: baseline("ngram") };
  return Object.entries(lock.tasks).flatMap(([task, { metric }]): CardScore[] => {
    const of = (scores: Scores | undefined) => scores?.tasks[task]?.test?.metrics[metric];
    const model = of(own);
    if (model === undefined) return [];
    const { n } = own!.tasks[task]!.test!;
    return [{ task, metric, n, model, majority: of(others.majority), ngram: of(others.ngram) }];
  });
}
