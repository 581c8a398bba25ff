/**
 * @file What rows of the known shapes say besides their turns: whether an answer is trained on, in the names that OpenAI and Mistral (`weight`),
 * Axolotl (`train`, `training`), ms-swift (`loss`), TRL (`label`) and LLaMA-Factory (`kto_tag`) use, which is obeyed; and what would change a
 * prompt or a loss in ways that are not supported, which is refused by name.
 */

import type { NoAnswer } from "../answers.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Flags of a turn: 1 or true, an answer is trained on; 0 or false, it is not. */
const TURN_FLAGS = ["weight", "train", "training", "trainable", "loss"];
/** The same of a whole row. */
const ROW_FLAGS = [...TURN_FLAGS, "kto_tag"];
/** Parts of a text that are trained on or not. */
const MASKS = ["mask", "loss_mask", "train_detail", "training_detail", "assistant_masks", "completion_mask"];
/** What a model would be told or would say besides texts. */
const TURN_CONTENTS = [
  ...["tool_calls", "tool_call_id", "function_call", "tools", "audio", "refusal"],
  ...["reasoning_content", "reasoning", "thinking"],
];
const ROW_CONTENTS = ["tools", "functions", "chat_template_kwargs", "images", "image", "videos", "video", "audios"];

/** Names of columns with a meaning here. */
export const MARK_COLUMNS: ReadonlySet<string> = new Set([...ROW_FLAGS, ...MASKS, ...ROW_CONTENTS]);

/**
 * Whether an assistant's turn is trained on, as it says; undefined: it says nothing.
 * @param known  keys that have been read
 * @param unused  told the other keys
 */
export function turnMark(
  turn: Fields,
  { place, role, known, unused }: { place: string; role: string; known: readonly string[]; unused: Set<string> },
): boolean | undefined | NoAnswer {
  const refused = [...MASKS, ...TURN_CONTENTS].find((key) => isSaid(turn[key]));
  if (refused !== undefined) return { problem: `${place} has ${refused}, which is not supported` };
  for (const key of Object.keys(turn)) {
    if (isSaid(turn[key]) && !known.includes(key) && !TURN_FLAGS.includes(key)) unused.add(key);
  }
  const flag = flagIn(turn, TURN_FLAGS);
  if (typeof flag === "object") return { problem: `${place} has ${flag.problem}` };
  if (flag === true && role !== "assistant") {
    return { problem: `${place} is by ${role} and marked to be trained on: only an assistant's answers are` };
  }
  return flag;
}

/** What a row says that forbids its use; null: nothing. @param used  columns that the task reads as something else */
export function rowProblem(row: Fields, used: readonly string[]): NoAnswer | null {
  const rest = Object.fromEntries(Object.entries(row).filter(([key]) => !used.includes(key)));
  const refused = contentProblem(rest) ?? refusedIn(rest, MASKS);
  if (refused !== null) return refused;
  const flag = flagIn(rest, typeof rest.label === "boolean" ? [...ROW_FLAGS, "label"] : ROW_FLAGS);
  if (typeof flag === "object") return { problem: flag.problem };
  return flag === false ? { problem: "is marked not to be trained on", isLeftOut: true } : null;
}

/** What a row says that would change its prompt; null: nothing. */
export function contentProblem(row: Fields): NoAnswer | null {
  return refusedIn(row, ROW_CONTENTS);
}

function refusedIn(row: Fields, keys: readonly string[]): NoAnswer | null {
  const key = keys.find((one) => isSaid(row[one]));
  return key === undefined ? null : { problem: `has ${key}, which is not supported` };
}

function flagIn(fields: Fields, keys: readonly string[]): boolean | undefined | NoAnswer {
  let said: boolean | undefined;
  for (const key of keys.filter((one) => isSaid(fields[one]))) {
    const text = String(fields[key]).toLowerCase();
    const isOn = text === "true" || Number(text) === 1;
    if (!isOn && text !== "false" && Number(text) !== 0) return { problem: `${key} ${text}, where 0 and 1 are known` };
    said = isOn && said !== false;
  }
  return said;
}

/** Neither absent nor empty; a file with one kind of row for all has nulls and empty lists. */
function isSaid(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "string") return !["", "[]", "{}"].includes(value.trim());
  if (Array.isArray(value)) return value.length > 0;
  // A number may be an object that keeps its text.
  return Object.getPrototypeOf(value) !== Object.prototype || Object.values(value).some(isSaid);
}
