/** @file The complaint about a row of a published dataset that is not as published. */

import { DataError } from "../../base/errors.ts";

/** @param place file and row */
export function damaged(place: string, expected: string, got: string, remedy = "Fetch the file again."): DataError {
  return new DataError({ place, expected, got: got.length > 80 ? `${got.slice(0, 80)}…` : got, remedy });
}
