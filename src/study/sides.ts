/** @file What a person names: a folder with scores, or a row of a study, `DIR:MIXTURE`, or one seed of it, `DIR:MIXTURE@SEED`. */

import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SpecError } from "../base/errors.ts";
import { runPaths } from "../runs/run-dir.ts";
import { didYouMean } from "../specs/nearest.ts";
import { baselineName, groupRuns } from "./analyse.ts";
import { readStudyLock, type StudyLock, studyAround } from "./lock-file.ts";
import { baselineDir, runDir } from "./scored.ts";
import type { Row } from "./study-table.ts";

/** One of two that are compared. */
export interface Side {
  /** As the person wrote it. */
  name: string;
  /** A mixture would be trained again, with other seeds; a model is this one. */
  kind: "mixture" | "model";
  /** Folders with scores and predictions: of a mixture one a seed, of a model one. */
  dirs: string[];
  /** The study that it belongs to. */
  study?: { dir: string; lock: StudyLock };
  /** Base model of a mixture. */
  model?: string;
  /** Whether its folders are runs of a study. */
  isTrained: boolean;
}

/** A row of a study as it can be asked for. */
interface NamedRow {
  name: string;
  /** What else may be said to mean this row and no other: model, few_shot, factors. */
  qualifiers: Record<string, string>;
  kind: Side["kind"];
  dirs: string[];
  /** Of a mixture, one of each directory. */
  seeds?: number[];
}

/**
 * Reads `text` as a run's directory, a folder that `mixtune eval` filled or a baseline's directory; or as `STUDY_DIR:NAME`, all seeds of a mixture
 * or a baseline (`majority`, `ngram`, `untuned`, `openai:NAME`), with `,key=value` after the name where several rows have it: `model`, `few_shot`,
 * or a factor; and `@SEED` behind it for one run of a mixture.
 *
 * @throws {SpecError} nothing there, a study without a name, an unknown name (with the nearest), a name of several rows
 */
export function sideNamed(text: string): Side {
  const dir = resolve(text);
  if (isFolder(dir)) return folderSide(text, dir);
  const colon = colonIn(text);
  if (colon === undefined) {
    throw new SpecError({
      place: text,
      expected: "a run's directory, a folder that mixtune eval filled, or STUDY_DIR:MIXTURE",
      got: "no such folder",
      remedy: "mixtune status STUDY_DIR lists runs and mixtures; mixtune eval MODEL --out DIR scores any other model.",
    });
  }
  const studyDir = resolve(text.slice(0, colon));
  const lock = readStudyLock(studyDir);
  const rows = rowsOf(studyDir, lock);
  const { row, seed } = seedIn(text.slice(colon + 1), rows);
  const named = rowNamed(text, row, rows);
  const { kind, dirs } = seed === undefined ? named : oneSeed(text, named, seed);
  const { model } = named.qualifiers;
  const isTrained = named.seeds !== undefined;
  return { name: text, kind, dirs, study: { dir: studyDir, lock }, ...(model !== undefined && { model }), isTrained };
}

/** Whether a word names a study or a row of one, and no other folder. */
export function isStudyName(text: string): boolean {
  return isFolder(resolve(text)) ? isStudy(text) : colonIn(text) !== undefined;
}

/** Where the name of a row begins behind a study's directory. */
function colonIn(text: string): number | undefined {
  return [...text.matchAll(/:/g)].map(({ index }) => index).find((at) => isStudy(text.slice(0, at)));
}

/** `all@2` is seed 2 of all, unless a row is called so. */
function seedIn(text: string, rows: readonly NamedRow[]): { row: string; seed?: number } {
  const found = /^(.+)@(\d+)$/.exec(text);
  if (found === null || rows.some(({ name }) => name === text.split(",")[0])) return { row: text };
  return { row: found[1]!, seed: Number(found[2]) };
}

function oneSeed(place: string, { name, seeds, dirs }: NamedRow, seed: number): Pick<Side, "kind" | "dirs"> {
  const at = seeds?.indexOf(seed) ?? -1;
  if (at >= 0) return { kind: "model", dirs: [dirs[at]!] };
  throw new SpecError({
    place,
    expected: seeds === undefined ? `${name} without a seed: it is a baseline` : `one of the seeds ${seeds.join(", ")}`,
    got: `@${seed}`,
    remedy: `Write the name without @${seed}${seeds === undefined ? "" : ", or with one of these seeds"}.`,
  });
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** Whether a word is the directory of a study. */
export function isStudy(path: string): boolean {
  return path !== "" && isFolder(path) && studyAround(resolve(path)) === resolve(path);
}

function folderSide(text: string, dir: string): Side {
  const studyDir = studyAround(dir);
  const lock = studyDir === undefined ? undefined : readStudyLock(studyDir);
  if (studyDir === dir) {
    const names = [...new Set(rowsOf(dir, lock!).map(({ name }) => name))];
    throw new SpecError({
      place: text,
      expected: `one model: ${text}:NAME`,
      got: "a study, which holds many",
      remedy: `Names here: ${names.join(", ")}.`,
    });
  }
  if (!existsSync(runPaths.scores(dir))) {
    throw new SpecError({
      place: text,
      expected: "a folder with scores.json",
      got: "none there",
      remedy: "Finish the run with mixtune run, or score a model with mixtune eval MODEL --out DIR.",
    });
  }
  return {
    ...{ name: text, kind: "model", dirs: [dir], isTrained: existsSync(runPaths.spec(dir)) },
    ...(studyDir && lock && { study: { dir: studyDir, lock } }),
  };
}

function rowsOf(studyDir: string, lock: StudyLock): NamedRow[] {
  const trained = groupRuns(lock.runs).map(({ runs, factors }): NamedRow => {
    const { mixture, model } = runs[0]!;
    const values = Object.entries(factors).map(([key, value]) => [key, String(value)]);
    const once = runs.filter(({ id }, i) => runs.findIndex((one) => one.id === id) === i);
    return {
      ...{ name: mixture.name, qualifiers: { model, ...Object.fromEntries(values) }, kind: "mixture" },
      dirs: once.map(({ id }) => runDir(studyDir, id)),
      seeds: once.map(({ seed }) => seed),
    };
  });
  const baselines = lock.baselines.map((one): NamedRow => {
    const qualifiers = {
      ...(one.kind === "base" && one.model !== undefined ? { model: one.model } : {}),
      ...(one.few_shot === undefined ? {} : { few_shot: `${one.few_shot}` }),
    };
    const name = one.kind === "base" ? "untuned" : baselineName(one);
    return { name, qualifiers, kind: "model", dirs: [baselineDir(studyDir, one.id)] };
  });
  return [...trained, ...baselines];
}

function rowNamed(place: string, text: string, rows: readonly NamedRow[]): NamedRow {
  const [name, ...words] = text.split(",") as [string, ...string[]];
  const named = rows.filter((row) => row.name === name);
  if (named.length === 0) {
    const names = [...new Set(rows.map((row) => row.name))];
    throw new SpecError({ place, expected: "a row of the study", got: name, remedy: didYouMean(name, names) });
  }
  const keys = [...new Set(named.flatMap(({ qualifiers }) => Object.keys(qualifiers)))];
  const asked = words.map((word) => {
    const at = word.indexOf("=");
    const key = word.slice(0, at);
    if (at !== -1 && keys.includes(key)) return [key, word.slice(at + 1)] as const;
    const expected = keys.length === 0 ? `nothing after ${name}` : `key=value with one of ${keys.join(", ")}`;
    throw new SpecError({ place, expected, got: word, remedy: didYouMean(at === -1 ? word : key, keys) });
  });
  const found = named.filter(({ qualifiers }) => asked.every(([key, value]) => qualifiers[key] === value));
  if (found.length === 1) return found[0]!;
  const shown = (found.length === 0 ? named : found).map((row) => `${name}${qualifierText(row, named)}`);
  throw new SpecError({
    place,
    expected: "one row of the study",
    got: found.length === 0 ? "none with these values" : `${found.length} rows`,
    remedy: `Write one of: ${shown.join("  ")}`,
  });
}

/** How a trained row of a table is named behind STUDY_DIR and a colon. */
export function rowWord(row: Row, rows: readonly Row[]): string {
  const namedRow = ({ name, model, factors }: Row): NamedRow => {
    const values = Object.entries(factors).map(([key, value]) => [key, String(value)]);
    return { name, qualifiers: { ...(model && { model }), ...Object.fromEntries(values) }, kind: "mixture", dirs: [] };
  };
  const isTrained = ({ kind }: Row) => kind === "mixture" || kind === "control";
  const others = rows.filter((one) => isTrained(one) && one.name === row.name).map(namedRow);
  return `${row.name}${qualifierText(namedRow(row), others)}`;
}

/** What tells a row from others of its name. */
function qualifierText({ qualifiers }: NamedRow, others: readonly NamedRow[]): string {
  return Object.entries(qualifiers)
    .filter(([key, value]) => others.some((other) => other.qualifiers[key] !== value))
    .map(([key, value]) => `,${key}=${value}`)
    .join("");
}
