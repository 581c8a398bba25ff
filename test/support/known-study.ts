/** @file A study whose right answers are known, and what its report, recommend and compare say that is not so. */

import { compareSides } from "../../src/study/compare.ts";
import { recommend } from "../../src/study/recommend.ts";
import { reportOf } from "../../src/study/report-of.ts";
import { studyResults } from "../../src/study/results.ts";
import { readSide } from "../../src/study/side-answers.ts";
import { sideNamed } from "../../src/study/sides.ts";
import { recordStudy } from "./recorded-study.ts";

/**
 * Five tasks of three labels, ranked by weighted F1. `helped` gains from `donor`'s data, `donor` gains from nothing; answers to `useless` are guesses
 * whoever gives them; on `stuck` every model gives one answer; an n-gram model solves `counted` better. Off their tasks models give one answer.
 */
const CHANCES = { helped: 0.68, donor: 0.75, useless: 1 / 3, stuck: 0, counted: 0.75 };
type Task = keyof typeof CHANCES;
const TASKS = Object.keys(CHANCES) as Task[];
const GAIN = 0.17;
const NGRAM: Readonly<Record<Task, number>> = { helped: 0.5, donor: 0.55, useless: 1 / 3, stuck: 1 / 3, counted: 0.93 };
const BOTH = "{name: both, tasks: {helped: {}, donor: {}}}";

/** Writes the study into a folder, its answers drawn by a seed. */
export function recordKnownStudy(dir: string, seed: number): void {
  recordStudy(dir, {
    seed,
    tasks: TASKS,
    design: `[singles, ${BOTH}, all]`,
    seeds: [1, 2],
    metric: "weighted_f1",
    labels: { up: 5, flat: 3, down: 2 },
    numItems: 300,
    numDevItems: 200,
    spread: 0.01,
    ngram: (task) => NGRAM[task as Task],
    chance: (task, mixture) => {
      const isHelped = task === "helped" && mixture?.ingredients.donor !== undefined;
      return mixture === undefined ? 1 / 3 : CHANCES[task as Task] + (isHelped ? GAIN : 0);
    },
    constant: (task, mixture) => {
      if (mixture === undefined || task === "stuck") return mixture && "up";
      return mixture.ingredients[task] === undefined ? "up" : undefined;
    },
  });
}

/** A statement that is not so. @property isByChance  a test of level 5 % may say it */
export interface Wrong {
  what: string;
  isByChance: boolean;
}

/** What a study by {@link recordKnownStudy} is said to show and does not. */
export function wrongStatements(dir: string): Wrong[] {
  const results = studyResults(dir);
  const [report, advice] = [reportOf(results), recommend(results)];
  const wrong: Wrong[] = [];
  const expected = (isSo: boolean, what: string, isByChance: boolean) => {
    if (!isSo) wrong.push({ what, isByChance });
  };
  const verdicts = { helped: "mixture", donor: "mixture", useless: "nothing", stuck: "nothing", counted: "ngram" };
  for (const task of TASKS) {
    const { offer, text, best, rival } = advice.tasks.find((one) => one.task === task)!;
    expected(offer.verdict === verdicts[task], `recommend ${task}: ${offer.verdict}`, task === "useless");
    const holds = [task, "all", ...(task === "helped" || task === "donor" ? ["both"] : [])];
    expected(holds.includes(best.name), `recommend ${task}: ${best.name} is chosen`, false);
    expected(rival === undefined || holds.includes(rival.name), `recommend ${task}: ${rival?.name} is a rival`, false);
    const answer = report.answers.find((one) => one.task === task)!;
    expected(answer.offer.text === text, `report ${task}: another offer than recommend`, false);
    const marks = report.differences.filter((one) => one.task === task);
    const heldBy = ({ row }: { row: number }) => holds.includes(report.rows[row]!.name);
    const isReal = (one: (typeof marks)[number]) => task === "helped" && heldBy(one);
    for (const one of marks.filter(heldBy))
      expected(
        (one.mark === "above") === isReal(one),
        `report ${task}: ${report.rows[one.row]!.name} is marked ${one.mark}`,
        true,
      );
    if (task === "helped" || task === "donor" || task === "counted") {
      for (const one of marks.filter((one) => !heldBy(one)))
        expected(
          one.mark === "below",
          `report ${task}: ${report.rows[one.row]!.name}, one answer, is marked ${one.mark}`,
          false,
        );
    }
    for (const { term, effect, pAdjusted } of report.effects.find((one) => one.task === task)?.effects ?? []) {
      if (term === task) continue;
      const isFound = pAdjusted !== null && pAdjusted < 0.05 && effect > 0;
      const isThere = task === "helped" && term === "donor";
      if (!isThere) expected(!isFound, `report: ${term} helps ${task}`, true);
    }
  }
  const read = (name: string) => readSide(sideNamed(`${dir}:${name}`), (problem) => expected(false, problem, false));
  const compared = (a: string, b: string, task: Task) => {
    const [found] = compareSides(read(a), read(b), { split: "test", tasks: [task] }).tasks;
    return found!.verdict;
  };
  expected(compared("both", "helped", "helped") === "above", "compare helped: both is not above helped", true);
  expected(compared("donor", "helped", "helped") === "below", "compare helped: one answer is not below helped", false);
  expected(compared("both", "donor", "donor") === "not distinguishable", "compare donor: both and donor differ", true);
  expected(compared("counted", "ngram", "counted") === "below", "compare counted: it is not below the n-gram", false);
  const ofStuck = compared("stuck", "majority", "stuck");
  expected(ofStuck === "not distinguishable", `compare stuck: ${ofStuck} the majority`, false);
  return wrong;
}
