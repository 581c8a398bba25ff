/**
 * @file Damages a small model's folder many times; every one must give a model that answers or an error for people.
 *
 *     nice node --import ./test/support/run-typescript.js scripts/fuzz-models.ts [RUNS [SEED]]
 */

import { breakModels } from "../test/support/broken-models.ts";

const [runs = "5000", seed] = process.argv.slice(2);
const whole = await breakModels(Number(runs), seed === undefined ? undefined : Number(seed));
console.log(`${runs} damaged folders: ${whole} models all the same, ${Number(runs) - whole} refused by name.`);
