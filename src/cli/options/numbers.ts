/** @file Numbers on the command line, read where an option is declared. */

import { InvalidArgumentError } from "commander";

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
  };
}

/** A number within bounds. */
export function numberOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a number from ${min} to ${max}.`);
  };
}

/** A size of files, as 5GB or 500MB, in bytes. */
export function byteSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(GB|MB)$/i.exec(text) ?? [];
  const value = Number(number) * (unit?.toUpperCase() === "MB" ? 1e6 : 1e9);
  if (value > 0) return value;
  throw new InvalidArgumentError("expected a size as 5GB or 500MB.");
}
