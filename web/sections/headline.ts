/** @file The study in a sentence, its size, and what a reader must know before believing it. */

import type { ReportData, TakenMixture } from "../../src/study/report-data.ts";
import { type Child, h } from "../dom.ts";
import { explained } from "../words.ts";

export function headline(data: ReportData): readonly Child[] {
  const count = (number: number, one: string, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
  const facts = [
    `${data.numDone} of ${count(data.numRuns, "run")} done`,
    count(data.tasks.length, "task"),
    data.models.length === 1 ? data.models[0]! : count(data.models.length, "model"),
    count(data.seeds.length, "seed"),
    ...data.versions,
  ];
  return [
    h("h1", {}, data.name),
    h("p", { class: data.sentence.length > 240 ? "sentence long" : "sentence" }, ...explained(data.sentence)),
    h("ul", { class: "facts" }, ...facts.map((fact) => h("li", {}, fact))),
    data.take.length === 0
      ? undefined
      : h(
          "section",
          { class: "take", "aria-label": "What to take" },
          h("h2", {}, "What to take"),
          h("ul", {}, ...data.take.map((one) => takenItem(one, data))),
        ),
    data.remarks.length + data.hints.length === 0
      ? undefined
      : h(
          "aside",
          { class: "remarks", "aria-label": "Remarks" },
          h("h2", {}, "Before you read on"),
          h(
            "ul",
            {},
            ...data.remarks.map((remark) => h("li", {}, remark)),
            ...data.hints.map(({ text, change }) => h("li", {}, `${text} Try `, h("code", {}, change.join(" ")), ".")),
          ),
        ),
  ];
}

/** What to take for a task, and where it is. */
function takenItem({ task, model, text, name, runs, isOffered }: TakenMixture, data: ReportData): Child {
  const label = data.models.length > 1 ? `${task} (${model})` : task;
  const files = isOffered
    ? [" Files: ", ...runs.flatMap((run, i) => [i === 0 ? "" : ", ", h("code", {}, `runs/${run}`)]), `, named ${name}.`]
    : [];
  return h("li", {}, h("strong", {}, label), ": ", ...explained(text), ...files);
}
