/**
 * @file Dates, times and durations as ISO 8601 has them and Python's isoformat writes them: 2024-02-29, 13:05:07.123456, 2024-02-29T13:05:07, with
 * Z or +01:00 behind what has a zone, P1DT2H3M4.5S. Digits of a second are written where there are any: six, or nine where six do not say it.
 */

const DAY = 86_400n;

/** @param days  since 1970-01-01 */
export function dateText(days: number | bigint): string {
  return dayOf(BigInt(days)) ?? String(days);
}

/** A time of the day. */
export function timeText(units: number | bigint, perSecond: bigint): string {
  const count = BigInt(units);
  return clockOf(count / perSecond) + fractionOf(count % perSecond, perSecond);
}

/**
 * A moment: units since 1970-01-01, in UTC where there is a zone.
 *
 * @param zone  name of a time zone or an offset; undefined: the moment has none
 */
export function momentText(units: number | bigint, perSecond: bigint, zone?: string): string {
  const count = BigInt(units);
  const fraction = modulo(count, perSecond);
  const seconds = (count - fraction) / perSecond;
  const offset = zone === undefined ? 0n : offsetAt(seconds, zone);
  const local = seconds + offset;
  const ofDay = modulo(local, DAY);
  const day = dayOf((local - ofDay) / DAY);
  if (day === undefined) return String(units);
  const behind = zone === undefined ? "" : offsetText(offset);
  return `${day}T${clockOf(ofDay)}${fractionOf(fraction, perSecond)}${behind}`;
}

/** A duration in days and a time, the sign with the days: -P1D plus 23 hours is P-1DT23H0M0S, as pandas writes it. */
export function durationText(units: number | bigint, perSecond: bigint): string {
  const count = BigInt(units);
  const fraction = modulo(count, perSecond);
  const seconds = (count - fraction) / perSecond;
  const ofDay = modulo(seconds, DAY);
  const rest = fractionOf(fraction, perSecond).replace(/0+$/, "");
  return `P${(seconds - ofDay) / DAY}DT${ofDay / 3600n}H${(ofDay / 60n) % 60n}M${ofDay % 60n}${rest}S`;
}

/** Undefined for a day that no calendar here reaches. */
function dayOf(days: bigint): string | undefined {
  const date = new Date(Number(days * DAY) * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().split("T")[0];
}

function clockOf(seconds: bigint): string {
  return [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map(two).join(":");
}

function fractionOf(units: bigint, perSecond: bigint): string {
  if (units === 0n) return "";
  const nanos = String(units * (1_000_000_000n / perSecond)).padStart(9, "0");
  return `.${nanos.replace(/000$/, "")}`;
}

function offsetText(seconds: bigint): string {
  if (seconds === 0n) return "Z";
  const size = seconds < 0n ? -seconds : seconds;
  const rest = size % 60n === 0n ? "" : `:${two(size % 60n)}`;
  return `${seconds < 0n ? "-" : "+"}${two(size / 3600n)}:${two((size / 60n) % 60n)}${rest}`;
}

/** How many seconds a zone is ahead of UTC; none for a zone that is not known here, whose moments are then said in UTC. */
function offsetAt(seconds: bigint, zone: string): bigint {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  if (sign !== undefined) return BigInt(`${sign}1`) * BigInt(Number(hours) * 3600 + Number(minutes) * 60);
  const format = formatOf(zone);
  const date = new Date(Number(seconds) * 1000);
  if (format === undefined || Number.isNaN(date.getTime())) return 0n;
  const parts = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  return BigInt(local.getTime() / 1000) - seconds;
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) formats.set(zone, newFormat(zone));
  return formats.get(zone);
}

function newFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  const numeric = "numeric";
  const fields = {
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...fields });
  } catch {
    return undefined;
  }
}

function modulo(a: bigint, b: bigint): bigint {
  return ((a % b) + b) % b;
}

function two(number: bigint): string {
  return String(number).padStart(2, "0");
}
