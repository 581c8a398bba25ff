/**
 * @file The programs of FinQA: their ten operations read from text and run over numbers and table rows, as the publication's evaluation does.
 * Here because both sides of a score need the same rules: data runs the gold programs, metrics the predicted ones.
 */

/** What a program comes to: a number to five decimals, or `yes` or `no` where its last step compares. */
export type ProgramValue = number | "yes" | "no";

/** One operation: over two arguments, or over the row that the only argument names. */
export interface ProgramStep {
  op: string;
  args: readonly string[];
}

/** Two numbers, or the name of a row, which may hold brackets and commas, and `none`. */
const STEP =
  /(?:(add|subtract|multiply|divide|exp|greater)\(([^()]+?), ([^(),]+)\)|(table_max|table_min|table_sum|table_average)\((.+?), none\))\s*(?:,\s*|$)/gy;

const BINARY: Readonly<Record<string, (a: number, b: number) => ProgramValue>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  exp: (a, b) => a ** b,
  greater: (a, b) => (a > b ? "yes" : "no"),
};

const OVER_ROW: Readonly<Record<string, (cells: readonly number[]) => number>> = {
  table_max: (cells) => Math.max(...cells),
  table_min: (cells) => Math.min(...cells),
  table_sum: (cells) => sum(cells),
  table_average: (cells) => sum(cells) / cells.length,
};

/**
 * Runs a program such as `subtract(5829, 5735), divide(#0, 5735)`: steps in order, `#i` the result of step i, `const_m1` and `const_100`
 * constants, `x%` a hundredth, and the table operations over the cells of the row that begins with their argument.
 *
 * @param table  rows of cells; of rows that begin alike the last counts
 * @returns      null where the program cannot be run: another operation, a word in place of a number, a row that is not there, a division by 0
 * @source       the rules of evaluate.py of czyssrs/FinQA @0f16e28, written anew; its results come to five decimals, halves to even
 */
export function runProgram(program: string, table: readonly (readonly string[])[]): ProgramValue | null {
  const steps = parseProgram(program);
  if (steps === null) return null;
  const results: ProgramValue[] = [];
  const number = (argument: string): number => {
    const value = argument.startsWith("#") ? results[Number(argument.slice(1))] : parseArgument(argument);
    return typeof value === "number" ? value : Number.NaN;
  };
  for (const { op, args } of steps) {
    const overRow = OVER_ROW[op];
    const numbers = overRow ? cellsOf(table, args[0]!) : args.map(number);
    if (numbers.length === 0 || numbers.some(Number.isNaN)) return null;
    const [a, b] = numbers as [number, number];
    results.push(overRow ? overRow(numbers) : BINARY[op]!(a, b));
  }
  const last = results.at(-1)!;
  if (typeof last === "string") return last;
  return Number.isFinite(last) ? roundTo5(last) : null;
}

/** The steps of a program in order, at least one; null for a text that is not one program and nothing else. */
export function parseProgram(program: string): ProgramStep[] | null {
  const steps: ProgramStep[] = [];
  STEP.lastIndex = 0;
  let end = 0;
  for (let step = STEP.exec(program); step !== null; step = STEP.exec(program)) {
    const [, binary, first = "", second = "", overRow = "", row = ""] = step;
    steps.push(
      binary === undefined ? { op: overRow, args: [row.trim()] } : { op: binary, args: [first.trim(), second.trim()] },
    );
    end = STEP.lastIndex;
  }
  return steps.length > 0 && end === program.length ? steps : null;
}

/** A value as the text of an answer: digits without separators, no exponent, no needless zeros. */
export function valueText(value: ProgramValue): string {
  return typeof value === "number" ? String(Object.is(value, -0) ? 0 : value) : value;
}

/** The value that {@link valueText} wrote. */
export function resultValue(text: string): ProgramValue {
  return text === "yes" || text === "no" ? text : Number(text);
}

/** A published result as the text of an answer: `94.0` is `94`. Null where it is neither a number nor yes or no. */
export function resultText(result: unknown): string | null {
  const text = String(result ?? "").trim();
  if (text === "yes" || text === "no") return text;
  const value = text === "" ? Number.NaN : Number(text.replaceAll(",", ""));
  return Number.isFinite(value) ? valueText(value) : null;
}

/**
 * Whether the answer that an annotator wrote says something else than the value of the program: compared to the decimals written, as a number
 * and as a percentage of it. An answer without a number says nothing else.
 */
export function contradicts(written: string, value: ProgramValue): boolean {
  const match = /\(?[-+]?\s*\$?\s*(\d[\d,]*\.?\d*|\.\d+)/.exec(written);
  if (typeof value !== "number") return /^(yes|no)$/i.test(written.trim()) && written.trim().toLowerCase() !== value;
  if (match === null) return false;
  const size = Number(match[1]!.replaceAll(",", ""));
  const stated = /^\(|-/.test(match[0]) ? -size : size;
  const half = 0.5000001 * 10 ** -(match[1]!.split(".")[1]?.length ?? 0);
  return ![value, value * 100].some((said) => Math.abs(said - stated) <= half);
}

function parseArgument(text: string): number {
  if (text.startsWith("const_")) return Number(text.slice(6).replace("m", "-"));
  const plain = text.replaceAll(",", "").replaceAll("$", "").trim();
  if (plain === "") return Number.NaN;
  return plain.endsWith("%") ? Number(plain.slice(0, -1)) / 100 : Number(plain);
}

/** The numbers of the last row of that name; a cell counts up to a bracket: `-32 ( 32 )` is -32. */
function cellsOf(table: readonly (readonly string[])[], name: string): number[] {
  const row = table.findLast(([head]) => head?.trim() === name) ?? [];
  return row.slice(1).map((cell) => parseArgument(cell.replace(/\(.*/s, "")));
}

function sum(cells: readonly number[]): number {
  return cells.reduce((total, cell) => total + cell, 0);
}

/** Halves go to the even neighbour; only multiples of 1/64 can be exact halves of the fifth decimal. */
function roundTo5(value: number): number {
  const isHalf = Number.isInteger(value * 64) && value.toFixed(6).endsWith("5");
  if (!isHalf) return Number(value.toFixed(5));
  const below = Math.floor(value * 1e5);
  return (below % 2 === 0 ? below : below + 1) / 1e5;
}
