/** @file The page: every section drawn once, and drawn again what a choice or newer data change; the reader's place stays. */

import type { ReportData } from "../src/study/report-data.ts";
import { type Context, chosenModel, type Section } from "./context.ts";
import { pick, switcher } from "./controls.ts";
import { type Child, h } from "./dom.ts";
import { exportButtons } from "./export.ts";
import { keepingPlace, keepingScroll } from "./place.ts";
import { answers } from "./sections/answers.ts";
import { doses, expectedMaximum, losses } from "./sections/curves.ts";
import { forest, retention } from "./sections/differences.ts";
import { disagreements } from "./sections/disagreements.ts";
import { effects, synergies } from "./sections/effects.ts";
import { headline } from "./sections/headline.ts";
import { heatMap } from "./sections/heat-map.ts";
import { cost, ledger, methods, runs, tasks } from "./sections/records.ts";
import { aggregate, seeds } from "./sections/seeds.ts";
import { words } from "./sections/words.ts";
import { createView } from "./view.ts";
import { explained, termBox } from "./words.ts";

const SECTIONS: readonly Section[] = [
  answers,
  heatMap,
  seeds,
  forest,
  aggregate,
  effects,
  synergies,
  doses,
  retention,
  expectedMaximum,
  losses,
  disagreements,
  runs,
  ledger,
  cost,
  tasks,
  methods,
  words,
];

/** A part of the page that a choice may change. */
interface Part {
  element: HTMLElement;
  draw(): readonly Child[];
  /** Keys of the view that were asked for when it was last drawn. */
  keys: ReadonlySet<string>;
}

/**
 * Fills the page.
 * @param strip  stands above all else
 * @returns shows newer data in it
 */
export function showPage(initial: ReportData, strip?: HTMLElement): (data: ReportData) => void {
  const parts: Part[] = [];
  const view = createView((keys) => {
    for (const part of parts) if (keys === undefined || keys.some((key) => part.keys.has(key))) redraw(part);
    setTheme();
  });
  const context: Context = { data: initial, view };
  const setTheme = () => {
    document.documentElement.dataset.theme = view.choice("theme", ["light", "dark"], "");
  };
  /** What looks the same stays as it is: a list that is open, a text that is marked. */
  const redraw = (part: Part) => {
    const drawn = part.element.cloneNode(false) as HTMLElement;
    part.keys = view.track(() => drawn.replaceChildren(...there(part.draw())));
    if (drawn.isEqualNode(part.element)) return;
    keepingPlace(part.element, () => part.element.replaceChildren(...drawn.childNodes));
  };
  const drawnAgain = <E extends HTMLElement>(element: E, draw: () => readonly Child[]): E => {
    const part: Part = { element, draw, keys: new Set() };
    parts.push(part);
    redraw(part);
    return element;
  };
  const shown = () => SECTIONS.filter((section) => section.missing(context.data) === undefined);
  const sections = new Map(
    SECTIONS.map((section) => [
      section,
      h(
        "section",
        { "aria-labelledby": section.id },
        h("h2", { id: section.id, tabindex: -1 }, section.title),
        h("p", { class: "how" }, ...explained(section.how)),
        drawnAgain(h("div", { class: "body", "data-section": section.id }), () => bodyOf(section, context)),
      ),
    ]),
  );
  const top = drawnAgain(h("header", { class: "headline" }), () => headline(context.data));
  const absent = drawnAgain(h("section", { class: "absent" }), () => missing(context.data));
  const main = h("main", {});
  const arrange = () => {
    document.title = `${context.data.name} · mixtune`;
    const { length } = shown();
    arranged(main, [
      top,
      ...shown().map((section) => sections.get(section)!),
      ...(length < SECTIONS.length ? [absent] : []),
    ]);
  };
  arrange();

  const goTo = (id: string) => {
    const heading = document.getElementById(id);
    heading?.scrollIntoView();
    heading?.focus({ preventScroll: true });
  };
  const link = ({ id, title }: Section) =>
    h(
      "a",
      {
        href: `#at=${id}`,
        click: (event) => {
          event.preventDefault();
          view.set({ at: id });
          goTo(id);
        },
      },
      title,
    );
  const isWide = matchMedia("(width >= 1100px)");
  const contents = h(
    "details",
    { open: isWide.matches },
    h("summary", {}, "Contents"),
    drawnAgain(h("ul", {}), () => shown().map((section) => h("li", {}, link(section)))),
  );
  isWide.addEventListener("change", () => {
    contents.open = isWide.matches;
  });
  document.body.replaceChildren(
    h(
      "div",
      { class: "bar", role: "region", "aria-label": "Choices for the whole page" },
      h(
        "button",
        { type: "button", class: "skip", click: () => goTo(shown()[0]?.id ?? "") },
        "Skip to the first section",
      ),
      drawnAgain(h("span", { class: "name" }), () => [context.data.name]),
      drawnAgain(h("div", { class: "controls" }), () => choices(context)),
    ),
    ...there([strip]),
    h("div", { class: "page" }, h("nav", { "aria-label": "Contents" }, contents), main),
  );
  document.body.append(termBox(document.body));
  setTheme();
  const at = view.choice(
    "at",
    SECTIONS.map(({ id }) => id),
    "",
  );
  if (at !== "") goTo(at);
  return (data) =>
    keepingScroll(main, () => {
      context.data = data;
      arrange();
      parts.forEach(redraw);
    });
}

function bodyOf(section: Section, context: Context): readonly Child[] {
  if (section.missing(context.data) !== undefined) return [];
  const { nodes, table } = section.draw(context);
  return [...nodes, table === undefined || table.rows.length === 0 ? undefined : exportButtons(section.id, table)];
}

function choices(context: Context): readonly Child[] {
  const { data, view } = context;
  const named = (names: readonly string[]) => names.map((name) => ({ value: name, name }));
  return [
    data.tasks.length === 0
      ? undefined
      : pick(view, "task", "Task", named(data.tasks.map(({ name }) => name)), data.tasks[0]!.name),
    data.models.length < 2 ? undefined : pick(view, "model", "Model", named(data.models), chosenModel(context)),
    switcher(view, "split", "Split", { test: "test", dev: "dev" }),
    pick(view, "theme", "Colours", [{ value: "auto", name: "system" }, ...named(["light", "dark"])], "auto"),
  ];
}

function missing(data: ReportData): readonly Child[] {
  const reasons = SECTIONS.flatMap((section) => {
    const reason = section.missing(data);
    return reason === undefined ? [] : [h("li", {}, `${section.title}: ${reason}.`)];
  });
  return [h("h2", {}, "Not in this report"), h("ul", {}, ...reasons)];
}

const there = (children: readonly Child[]): (Node | string)[] => children.filter((child) => child !== undefined);

/** Gives a parent these children, moving none that is in its place. */
function arranged(parent: HTMLElement, children: readonly HTMLElement[]): void {
  for (const [i, child] of children.entries())
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  while (parent.children.length > children.length) parent.lastElementChild!.remove();
}
