/** @file Test items that two rows answer with different success, outputs side by side. */

import type { ItemDisagreements } from "../../src/study/report-data.ts";
import { nameOf, type Section } from "../context.ts";
import { controls, pick, switcher } from "../controls.ts";
import { type Child, h } from "../dom.ts";
import { NOTHING, plain } from "../numbers.ts";

export const disagreements: Section = {
  id: "items",
  title: "Where two models disagree",
  how: "Test items that one of a pair (A) answers right and the other (B) wrong, with what they ask, both outputs and every scorer's verdict.",
  missing: (data) =>
    data.disagreements.length === 0 ? "no predictions of two compared rows were there to put side by side" : undefined,
  draw({ data, view }) {
    const pairs = data.disagreements.map(({ task, a, b, onlyA, onlyB }, i) => ({
      value: String(i),
      name: `${task}: ${nameOf(data, a)} (A) against ${nameOf(data, b)} (B), ${onlyA} to ${onlyB}`,
    }));
    const first = data.disagreements.findIndex(
      ({ task }) =>
        task ===
        view.choice(
          "task",
          data.tasks.map(({ name }) => name),
          data.tasks[0]?.name ?? "",
        ),
    );
    const fallback = String(Math.max(0, first));
    const pair =
      data.disagreements[
        Number(
          view.choice(
            "pair",
            pairs.map(({ value }) => value),
            fallback,
          ),
        )
      ]!;
    const filter = view.choice("items", ["all", "a", "b"], "all");
    const items = pair.items.filter(({ aRight }) => filter === "all" || aRight === (filter === "a"));
    const [a, b] = [nameOf(data, pair.a), nameOf(data, pair.b)];
    return {
      nodes: [
        controls(
          pick(view, "pair", "Pair", pairs, fallback),
          switcher(view, "items", "Which items", { all: "All", a: "A right, B wrong", b: "B right, A wrong" }),
        ),
        h(
          "p",
          { "aria-live": "polite", class: "count" },
          `Only A is right on ${pair.onlyA} items, only B on ${pair.onlyB}. Shown: ${items.length}${pair.leftOut === 0 ? "" : `; ${pair.leftOut} more are not in this file`}.`,
        ),
        h(
          "div",
          { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Items" },
          h("ol", { class: "items" }, ...items.map((item) => itemCard(item, a, b))),
        ),
      ],
      table: {
        columns: ["task", "id", "question", "gold", "a", "b", "a_right", "b_right"],
        rows: items.map((item) => [
          pair.task,
          item.id,
          item.question ?? "",
          item.gold,
          item.a,
          item.b,
          Number(item.aRight),
          Number(!item.aRight),
        ]),
      },
    };
  },
};

function itemCard(item: ItemDisagreements["items"][number], a: string, b: string): Child {
  const verdicts = Object.entries(item.scores);
  const written = (value: number | null) => (value === null ? NOTHING : plain(value));
  return h(
    "li",
    { class: "item" },
    h("p", { class: "quiet" }, item.id),
    item.question === null ? undefined : h("pre", { class: "question", tabindex: 0 }, item.question),
    h("p", {}, h("span", { class: "quiet" }, "right answer "), h("code", {}, item.gold)),
    h("div", { class: "sides" }, side("A", a, item.a, item.aRight), side("B", b, item.b, !item.aRight)),
    verdicts.length === 0
      ? undefined
      : h(
          "p",
          { class: "quiet" },
          `Scores, A and B: ${verdicts.map(([name, [ofA, ofB]]) => `${name} ${written(ofA)} and ${written(ofB)}`).join(" · ")}`,
        ),
  );
}

function side(letter: string, name: string, output: string, isRight: boolean): Child {
  return h(
    "div",
    { class: isRight ? "side above" : "side below" },
    h(
      "p",
      {},
      h("strong", {}, `${letter} ${isRight ? "✓ right" : "✗ wrong"}`),
      h("span", { class: "quiet" }, ` ${name}`),
    ),
    output === "" ? h("p", { class: "quiet" }, "(no text)") : h("pre", { tabindex: 0 }, output),
  );
}
