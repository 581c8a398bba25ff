/** @file Choices that are kept in the view: lists to pick from and groups of buttons. */

import { type Child, h } from "./dom.ts";
import type { View } from "./view.ts";

export interface Option {
  value: string;
  name: string;
}

/** A labelled list to pick from. */
export function pick(
  view: View,
  key: string,
  label: string,
  options: readonly Option[],
  fallback: string,
): HTMLElement {
  const values = options.map(({ value }) => value);
  const chosen = view.choice(key, values, fallback);
  const list = h(
    "select",
    { id: `pick-${key}`, change: () => view.set({ [key]: list.value }) },
    ...options.map(({ value, name }) => h("option", { value, selected: value === chosen }, name)),
  );
  return h("label", { class: "pick" }, h("span", {}, label), list);
}

/**
 * A group of buttons of which one is pressed; the first unless another was chosen.
 * @param options  names by value
 */
export function switcher(
  view: View,
  key: string,
  label: string,
  options: Readonly<Record<string, string>>,
): HTMLElement {
  const values = Object.keys(options);
  const chosen = view.choice(key, values, values[0]!);
  return h(
    "div",
    { class: "switcher", role: "group", "aria-label": label },
    ...Object.entries(options).map(([value, name]) =>
      h(
        "button",
        {
          id: `switch-${key}-${value}`,
          type: "button",
          "aria-pressed": String(value === chosen),
          click: () => view.set({ [key]: value }),
        },
        name,
      ),
    ),
  );
}

/** Controls of a section, side by side. */
export function controls(...children: Child[]): HTMLElement {
  return h("div", { class: "controls" }, ...children);
}
