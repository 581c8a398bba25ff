/**
 * @file Whose answers a file of predict holds: a record beside the file, written before the first answer, so that no call takes the answers of
 * another model, prompt or set of labels for those it was asked for.
 */

import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { DataError } from "../../base/errors.ts";
import { type MadeBy, refuseOtherMaker } from "../../base/made-by.ts";
import { writeWhole } from "../../formats/files.ts";
import type { TaskSpec } from "../../specs/types.ts";
import { type OpenedModel, weightsOf } from "../models/model-files.ts";

/** What answers follow from, besides the rows. @param maxNewTokens  as it was asked for */
export function madeBy(
  { ref, spec, model, tokenizer, template }: OpenedModel,
  { prompt, answer, fit, catalogue, variant, prompt_style }: TaskSpec,
  maxNewTokens: number | undefined,
): MadeBy {
  const record = {
    ...(ref.kind === "run"
      ? { run: basename(ref.dir), checkpoint: basename(weightsOf(ref, spec!)) }
      : { model: ref.name }),
    ...{ weights_digest: model.digest, tokenizer_digest: tokenizer.digest, template_digest: template.digest },
    ...{ prompt, answer, fit, catalogue, variant, prompt_style, max_new_tokens: maxNewTokens },
  };
  return JSON.parse(JSON.stringify(record)) as MadeBy;
}

/** Where the record of a file is. */
export function madeByPath(out: string): string {
  return `${out}.made-by.json`;
}

/**
 * Makes an output this maker's. A begun one of an earlier version has no record and is taken as it is.
 * @param numDone  rows that it holds
 * @throws {SpecError} answers of another maker, with the keys that differ; {DataError} a damaged record
 */
export function claimOutput(out: string, mine: MadeBy, numDone: number): void {
  const path = madeByPath(out);
  if (numDone === 0) {
    writeWhole(path, `${JSON.stringify(mine, null, 1)}\n`);
    return;
  }
  if (!existsSync(path)) return;
  const remedy = "Give another file with options.out, or delete this one to answer its rows again.";
  refuseOtherMaker(`${out}, which holds ${numDone} answers`, recordIn(path), mine, remedy);
}

function recordIn(path: string): MadeBy {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as MadeBy;
  } catch (cause) {
    throw new DataError({
      place: path,
      expected: "the record of whose answers stand beside it, as JSON",
      got: "a damaged file",
      remedy: "Delete it if you know that this model made the answers, or give another file with options.out.",
      cause,
    });
  }
}
