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
 * @param round  to the width that the float has; by default a double's
 */
export function floatText(value: number, round: (value: number) => number = (same) => same): string {
  if (!Number.isFinite(value)) return String(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "", power] = shortest(Math.abs(value), round).split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16)
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** The least digits that round to the value, with an exponent: 1.5e+3. */
function shortest(value: number, round: (value: number) => number): string {
  const exact = value.toExponential();
  for (let numDigits = 0; numDigits < exact.indexOf("e") - 1; numDigits++) {
    const text = value.toExponential(numDigits);
    if (round(Number(text)) === value) return text;
  }
  return exact;
}
