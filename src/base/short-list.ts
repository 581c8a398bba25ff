/** @file Names in a message, as many as one reads. */

/** `a, b, c and 4 more`. @param most  names before the rest is only counted; default 12 */
export function shortList(names: readonly string[], most = 12): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
