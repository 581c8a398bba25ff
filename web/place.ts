/** @file Where the reader is, kept while what is around changes: focus, boxes that scroll, what is folded out, the page itself. */

/** Of an element whose content is drawn anew: by ids where there are any, else by order. */
export function keepingPlace(element: HTMLElement, change: () => void): void {
  const focused = element.contains(document.activeElement) ? pathTo(element, document.activeElement!) : undefined;
  const id = focused === undefined ? "" : document.activeElement!.id;
  const scrolled = [...element.querySelectorAll(".scroll")].flatMap(({ scrollLeft, scrollTop }, i) =>
    scrollLeft + scrollTop > 0 ? [{ i, scrollLeft, scrollTop }] : [],
  );
  const opened = [...element.querySelectorAll<HTMLDetailsElement>("details[open]")].map((details) => details.id);
  change();
  for (const details of element.querySelectorAll("details")) if (opened.includes(details.id)) details.open = true;
  for (const { i, ...at } of scrolled) {
    const box = element.querySelectorAll(".scroll")[i];
    box?.scrollTo(at.scrollLeft, at.scrollTop);
  }
  if (focused === undefined) return;
  const next = id === "" ? at(element, focused) : document.getElementById(id);
  next?.focus({ preventScroll: true });
}

/** Of the page: whatever child of `main` is at the top of the window stays where it is. */
export function keepingScroll(main: HTMLElement, change: () => void): void {
  const first = [...main.children].find((child) => child.getBoundingClientRect().bottom > 0);
  const before = first?.getBoundingClientRect().top ?? 0;
  const { style } = document.documentElement;
  style.overflowAnchor = "none"; // the browser's own way of doing this, which loses what is drawn anew
  change();
  if (first?.isConnected && window.scrollY > 0) window.scrollBy(0, first.getBoundingClientRect().top - before);
  style.overflowAnchor = "";
}

/** Places among siblings, from the element down. */
function pathTo(element: Element, descendant: Element): number[] {
  const path: number[] = [];
  for (let child = descendant; child !== element; child = child.parentElement!)
    path.unshift([...child.parentElement!.children].indexOf(child));
  return path;
}

function at(element: Element, path: readonly number[]): HTMLElement | undefined {
  const found = path.reduce<Element | undefined>((parent, i) => parent?.children[i], element);
  return found as HTMLElement | undefined;
}
