/** @file The report's page: reads the data that the file carries, draws every section, and draws again what a choice changes. */

import type { ReportData } from "../src/study/report-data.ts";
import { type Context, chosenModel, chosenSplit, type Section } from "./context.ts";
import { pick, switcher } from "./controls.ts";
import { type Child, h } from "./dom.ts";
import { exportButtons } from "./export.ts";
import { answers } from "./sections/answers.ts";
import { doses, expectedMaximum, losses } from "./sections/curves.ts";
import { forest, retention } from "./sections/differences.ts";
import { disagreements } from "./sections/disagreements.ts";
import { effects, synergies } from "./sections/effects.ts";
import { headline } from "./sections/headline.ts";
import { heatMap } from "./sections/heat-map.ts";
import { cost, ledger, methods, runs, tasks } from "./sections/records.ts";
import { aggregate, seeds } from "./sections/seeds.ts";
import { createView } from "./view.ts";

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
];

/** A part of the page that a choice may change. */
interface Part {
  element: HTMLElement;
  draw(): readonly Child[];
  /** Keys of the view that were asked for when it was last drawn. */
  keys: ReadonlySet<string>;
}

function show(data: ReportData): void {
  const parts: Part[] = [];
  const view = createView((keys) => {
    const changed = parts.filter((part) => keys === undefined || keys.some((key) => part.keys.has(key)));
    keepingPlace(
      changed.map(({ element }) => element),
      () => changed.forEach(redraw),
    );
    setTheme();
  });
  const context: Context = { data, view };
  const setTheme = () => {
    document.documentElement.dataset.theme = view.choice("theme", ["light", "dark"], "");
  };
  const redraw = (part: Part) => {
    part.keys = view.track(() => part.element.replaceChildren(...there(part.draw())));
  };
  const live = (element: HTMLElement, draw: () => readonly Child[]): HTMLElement => {
    const part: Part = { element, draw, keys: new Set() };
    parts.push(part);
    redraw(part);
    return element;
  };

  const shown = SECTIONS.filter((section) => section.missing(data) === undefined);
  const goTo = (id: string) => {
    const heading = document.getElementById(id);
    heading?.scrollIntoView();
    heading?.focus({ preventScroll: true });
  };
  const isWide = matchMedia("(width >= 1100px)");
  const contents = h(
    "details",
    { open: isWide.matches },
    h("summary", {}, "Contents"),
    h(
      "ul",
      {},
      ...shown.map(({ id, title }) =>
        h(
          "li",
          {},
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
          ),
        ),
      ),
    ),
  );
  isWide.addEventListener("change", () => {
    contents.open = isWide.matches;
  });
  document.title = `${data.name} · mixtune`;
  document.body.replaceChildren(
    h(
      "div",
      { class: "bar", role: "region", "aria-label": "Choices for the whole page" },
      h(
        "button",
        { type: "button", class: "skip", click: () => goTo(shown[0]?.id ?? "") },
        "Skip to the first section",
      ),
      h("span", { class: "name" }, data.name),
      live(h("div", { class: "controls" }), () => choices(context)),
    ),
    h(
      "div",
      { class: "page" },
      h("nav", { "aria-label": "Contents" }, contents),
      h(
        "main",
        {},
        headline(data),
        ...shown.map((section) =>
          h(
            "section",
            { "aria-labelledby": section.id },
            h("h2", { id: section.id, tabindex: -1 }, section.title),
            h("p", { class: "how" }, section.how),
            live(h("div", { class: "body", "data-section": section.id }), () => {
              const { nodes, table } = section.draw(context);
              return [
                ...nodes,
                table === undefined || table.rows.length === 0 ? undefined : exportButtons(section.id, table),
              ];
            }),
          ),
        ),
        absent(data),
      ),
    ),
  );
  setTheme();
  const at = view.choice(
    "at",
    shown.map(({ id }) => id),
    "",
  );
  if (at !== "") goTo(at);
}

function choices(context: Context): readonly Child[] {
  const { data, view } = context;
  const named = (names: readonly string[]) => names.map((name) => ({ value: name, name }));
  return [
    data.tasks.length === 0
      ? undefined
      : pick(view, "task", "Task", named(data.tasks.map(({ name }) => name)), data.tasks[0]!.name),
    data.models.length < 2 ? undefined : pick(view, "model", "Model", named(data.models), chosenModel(context)),
    switcher(view, "split", "Split", named(["test", "dev"]), chosenSplit(context)),
    pick(view, "theme", "Colours", [{ value: "auto", name: "as the system" }, ...named(["light", "dark"])], "auto"),
  ];
}

function absent(data: ReportData): Child {
  const missing = SECTIONS.flatMap((section) => {
    const reason = section.missing(data);
    return reason === undefined ? [] : [h("li", {}, `${section.title}: ${reason}.`)];
  });
  if (missing.length === 0) return undefined;
  return h("section", { class: "absent" }, h("h2", {}, "Not in this report"), h("ul", {}, ...missing));
}

const there = (children: readonly Child[]): (Node | string)[] => children.filter((child) => child !== undefined);

/** Leaves focus and scrolling where they are, by the ids of controls and the order of boxes. */
function keepingPlace(elements: readonly HTMLElement[], change: () => void): void {
  const focused = elements.some((element) => element.contains(document.activeElement))
    ? document.activeElement?.id
    : undefined;
  const places = elements.flatMap((element) =>
    [...element.querySelectorAll(".scroll")].flatMap(({ scrollLeft, scrollTop }, i) =>
      scrollLeft + scrollTop > 0 ? [{ element, i, scrollLeft, scrollTop }] : [],
    ),
  );
  change();
  for (const { element, i, scrollLeft, scrollTop } of places)
    element.querySelectorAll(".scroll")[i]?.scrollTo(scrollLeft, scrollTop);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

show(JSON.parse(document.getElementById("data")!.textContent) as ReportData);
