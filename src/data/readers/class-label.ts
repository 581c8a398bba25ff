/** @file Labels that a file has by their number or by their name: one dataset goes about in both forms. */

/** The label, in the task's own spelling; undefined where it is none of them. */
export function labelOf(value: unknown, labels: readonly string[]): string | undefined {
  const written = String(value ?? "").trim();
  if (/^\d+$/.test(written)) return labels[Number(written)];
  return labels.find((label) => label.toLowerCase() === written.toLowerCase());
}
