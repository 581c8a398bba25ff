/** @file Numbers with the text that a file writes them as, where JavaScript would write them otherwise: 1790000000000000001, 1.0, 5.10, 1e5, -0. */

/** A number that keeps its text. As a string it is that text; its value is `Number(text)`, as near as a number comes. */
export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** Text for whoever writes JSON without knowing of it: every digit is there. json-text.ts writes the number. */
  toJSON(): string {
    return this.text;
  }
}

/** A literal as a number, and as a {@link WrittenNumber} where `String` would not give the literal back. */
export function writtenNumber(literal: string): number | WrittenNumber {
  const value = Number(literal);
  return String(value) === literal ? value : new WrittenNumber(literal);
}

/** Whether a field's value is a list, an object or bytes rather than a text, a number, true or false. */
export function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof WrittenNumber);
}

/**
 * A float's shortest text as Python and the libraries around it write it, so that a table has the same text in every format: 1.0, 0.1, 1e-05, 1e+16.
 *
 * @param round  to the width that the float has; absent: a double's
 */
export function floatText(value: number, round?: (value: number) => number): string {
  if (!Number.isFinite(value)) return String(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  const [mantissa = "", power] = (round === undefined ? size.toExponential() : shortest(size, round)).split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16)
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** The least digits that round to a value of fewer bits than a double, with an exponent: 1.5e+3. */
function shortest(value: number, round: (value: number) => number): string {
  const exact = value.toExponential();
  for (let numDigits = 0; numDigits < exact.indexOf("e") - 1; numDigits++) {
    const text = rounded(value, numDigits);
    if (round(Number(text)) === value) return text;
  }
  return exact;
}

/** `toExponential` with ties to the even digit: 2.25 becomes 2.2, as the shortest digits of Python have it. */
function rounded(value: number, numDigits: number): string {
  const text = value.toExponential(numDigits);
  const longer = value.toExponential(numDigits + 1);
  const isTie = longer.includes("5e") && Number(longer) === value;
  const isOdd = /[13579]e/.test(text);
  return isTie && isOdd ? longer.replace(/\.?5e/, "e") : text;
}
