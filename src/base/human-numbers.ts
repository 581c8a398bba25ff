/** @file Numbers as people read them. */

/** 12345 -> 12,345 */
export function count(value: number): string {
  if (!Number.isFinite(value)) return "?";
  return Math.round(value).toLocaleString("en-US");
}

/** `1 run`, `1,200 runs`. @param many  where it is not the noun with an s */
export function counted(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`;
}

/** Seconds as `45 s`, `12 min`, `3.5 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Bytes as `12 MB`, `3.4 GB` (decimal). */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "?";
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} GB`;
  return `${Math.max(1, Math.round(value / 1e6))} MB`;
}
