/** @file Lines over a common x axis, with bands for intervals and dots for single runs; drawn again when its width changes. */

import { type Child, h, s } from "./dom.ts";
import { interval, plain } from "./numbers.ts";
import { told } from "./readout.ts";
import { apart, bandOf, HEIGHT, type Line, MARGIN, scalesOf } from "./scales.ts";

export interface LineChart {
  /** What is drawn, for people who do not see it. */
  label: string;
  xLabel: string;
  yLabel: string;
  lines: readonly Line[];
  /** Writes the numbers of the y axis; default: as they are. */
  writeTick?(value: number): string;
  /** Values beyond which y means nothing: the axis ends there, and so do bands. */
  limits?: readonly [number, number] | undefined;
  /** Whether x may be drawn logarithmically where it spans much. */
  mayBeLogarithmic?: boolean;
}

/** Colours of a safe palette first, then the same with other dashes. */
const NUM_COLOURS = 6;
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];

/** Undefined where no line has a point. What stands at a place is read out for the pointer and, place by place, for the arrow keys. */
export function lineChart(chart: LineChart): HTMLElement | undefined {
  const points = chart.lines.flatMap((line) => [...line.points, ...(line.dots ?? [])]);
  if (points.length === 0 || points.every(({ y }) => y === null)) return undefined;
  const places = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const line = h("p", { class: "readout" }, "Point at a place, or go from one to the next with the arrow keys.");
  const box = h("div", {
    class: "plot",
    tabindex: 0,
    role: "slider",
    "aria-label": `${chart.label}, by ${chart.xLabel}`,
    "aria-valuemin": 0,
    "aria-valuemax": places.length - 1,
  });
  let width = 640; // until it is known, and where it never is
  let shown = drawn(chart, width);
  let at: number | undefined;
  const mark = (index: number) => {
    at = Math.max(0, Math.min(places.length - 1, index));
    const x = places[at]!;
    const text = toldAt(chart, x);
    box.setAttribute("aria-valuenow", String(at));
    box.setAttribute("aria-valuetext", text);
    line.textContent = text;
    shown.markAt(x);
  };
  box.setAttribute("aria-valuenow", "0");
  box.setAttribute("aria-valuetext", toldAt(chart, places[0]!));
  box.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    const end = { Home: 0, End: places.length - 1 }[event.key];
    if (to === undefined && end === undefined) return;
    event.preventDefault();
    mark(end ?? (at === undefined ? 0 : at + to!));
  });
  box.addEventListener("focus", () => mark(at ?? 0));
  box.addEventListener("pointermove", ({ clientX }) => {
    const from = clientX - box.getBoundingClientRect().left;
    const near = (index: number) => Math.abs(shown.place(places[index]!) - from);
    mark(places.reduce((best, _, index) => (near(index) < near(best) ? index : best), 0));
  });
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry!.contentRect.width);
    if (now === width || now === 0) return;
    width = now;
    shown = drawn(chart, Math.max(280, width));
    box.replaceChildren(shown.picture);
    if (at !== undefined) shown.markAt(places[at]!);
  }).observe(box);
  box.append(shown.picture);
  return h("figure", {}, box, line, legend(chart.lines));
}

/** The lines' values at a place. */
function toldAt({ lines, xLabel, writeTick = plain }: LineChart, x: number): string {
  const values = lines.flatMap(({ name, points, dots = [] }) => {
    const point = points.find((point) => point.x === x);
    if (point === undefined || point.y === null) return [];
    const ends = interval(point.low, point.high, writeTick);
    const single = dots.flatMap((dot) => (dot.x === x ? [writeTick(dot.y)] : []));
    const more = [ends === "" ? "" : `95 % ${ends}`, single.length < 2 ? "" : `seeds ${single.join(", ")}`];
    const said = more.filter((text) => text !== "").join("; ");
    return [`${name} ${writeTick(point.y)}${said === "" ? "" : ` (${said})`}`];
  });
  return told(`${xLabel} ${plain(x)}`, ...values);
}

interface Drawing {
  picture: SVGElement;
  /** In pixels from the left. */
  place(x: number): number;
  /** Draws an upright there. */
  markAt(x: number): void;
}

function drawn(
  { xLabel, yLabel, lines, writeTick = plain, limits, mayBeLogarithmic }: LineChart,
  width: number,
): Drawing {
  const { x, y, xTicks, yTicks, isLogarithmic } = scalesOf(lines, width, limits, mayBeLogarithmic);
  const floor = HEIGHT - MARGIN.bottom;
  const cursor = s("line", { y1: MARGIN.top, y2: floor, class: "cursor", visibility: "hidden" });
  const picture = s(
    "svg",
    { class: "lines", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" },
    cursor,
    ...yTicks.map((value) =>
      s(
        "g",
        {},
        s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value), class: "tick" }),
        s("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, writeTick(value)),
      ),
    ),
    ...apart(
      xTicks.map((value) => ({ value, at: x(value) })),
      44,
    ).map(({ value, at }) => s("text", { x: at, y: floor + 17, "text-anchor": "middle" }, plain(value))),
    s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: floor, y2: floor, class: "axis" }),
    s(
      "text",
      { x: (MARGIN.left + width - MARGIN.right) / 2, y: HEIGHT - 6, "text-anchor": "middle", class: "axis-label" },
      isLogarithmic ? `${xLabel} (logarithmic)` : xLabel,
    ),
    s(
      "text",
      {
        transform: `translate(13 ${(MARGIN.top + floor) / 2}) rotate(-90)`,
        "text-anchor": "middle",
        class: "axis-label",
      },
      yLabel,
    ),
    ...lines.flatMap((line, index) => lineParts(line, index, x, y)),
  );
  return {
    picture,
    place: x,
    markAt: (value) => {
      const at = x(value).toFixed(1);
      for (const [name, to] of Object.entries({ x1: at, x2: at, visibility: "visible" })) cursor.setAttribute(name, to);
    },
  };
}

function lineParts(line: Line, index: number, x: (value: number) => number, y: (value: number) => number): Child[] {
  const { points, dots = [] } = line;
  const colour = `c${index % NUM_COLOURS}`;
  const at = (px: number, py: number) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`;
  const there = points.flatMap((point) => (point.y === null ? [] : [{ ...point, y: point.y }]));
  const behind = (line.behind ?? []).flatMap((point) => (point.y === null ? [] : [at(point.x, point.y)]));
  const banded = bandOf(line);
  const band = [...banded.map(({ x, high }) => at(x, high)), ...banded.map(({ x, low }) => at(x, low)).reverse()];
  return [
    banded.length > 0 ? s("polygon", { points: band.join(" "), class: `band ${colour}` }) : undefined,
    behind.length > 1 ? s("polyline", { points: behind.join(" "), class: `behind ${colour}` }) : undefined,
    ...dots.map((dot) =>
      s("circle", { cx: x(dot.x).toFixed(1), cy: y(dot.y).toFixed(1), r: 2.5, class: `dot ${colour}` }),
    ),
    s("polyline", {
      points: there.map((point) => at(point.x, point.y)).join(" "),
      class: `line ${colour}`,
      "stroke-dasharray": dash(index),
    }),
    ...(there.length > 30
      ? []
      : there.map((point) =>
          s("circle", { cx: x(point.x).toFixed(1), cy: y(point.y).toFixed(1), r: 4, class: `point ${colour}` }),
        )),
  ];
}

const dash = (index: number): string => DASHES[Math.floor(index / NUM_COLOURS) % DASHES.length]!;

function legend(lines: readonly Line[]): Child {
  return h(
    "figcaption",
    { class: "legend" },
    ...lines.map(({ name }, index) =>
      h(
        "span",
        {},
        s(
          "svg",
          { width: 26, height: 10, "aria-hidden": "true" },
          s("line", {
            x1: 1,
            x2: 25,
            y1: 5,
            y2: 5,
            class: `line c${index % NUM_COLOURS}`,
            "stroke-dasharray": dash(index),
          }),
        ),
        name,
      ),
    ),
  );
}
