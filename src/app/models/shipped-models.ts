/** @file The models that ship inside the package. */

import { join } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { didYouMean } from "../../specs/nearest.ts";
import { packageRoot } from "../package.ts";

/** Name to folder inside the package. */
const SHIPPED: Record<string, string> = { "mixtune/tiny": "assets/tiny" };

/**
 * The folder of a model that ships, such as `mixtune/tiny`.
 * @param place  where the name was written, for messages
 * @throws {SpecError} an unknown name, with the nearest known one
 */
export function modelFolder(name: string, place = "model"): string {
  const folder = SHIPPED[name];
  if (folder !== undefined) return join(packageRoot(), folder);
  throw new SpecError({
    place,
    expected: "a model that ships",
    got: name,
    remedy: didYouMean(name, Object.keys(SHIPPED)),
  });
}
