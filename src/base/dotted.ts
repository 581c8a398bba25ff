/** @file Nested records as flat ones. */

/** A record's values by their keys, joined by dots where records are nested; lists stay whole. */
export function dotted(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]): [string, unknown][] => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return [[key, value]];
      return Object.entries(dotted(value)).map(([inner, member]) => [`${key}.${inner}`, member]);
    }),
  );
}
