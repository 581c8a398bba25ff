/** @file A hosted model as every command asks it: answers kept in the cache, stopped by the process's signal. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { count } from "../../base/human-numbers.ts";
import { type HostedModel, openHostedModel } from "../../eval/hosted/hosted-model.ts";
import type { HostedSettings } from "../../eval/hosted/settings.ts";
import type { HostedAnswer } from "../../eval/hosted/types.ts";
import type { Workspace } from "../workspace.ts";
import type { HostedChoice } from "./choice.ts";

/** From sending a request to the last byte of its answer. */
const TIMEOUT_MS = 120_000;
export const MAX_RETRIES = 6;

/** Opens it; nothing is sent yet. @param whole  what it shares with other models; absent: a purse of its own */
export function openHosted(
  choice: HostedChoice,
  workspace: Workspace,
  { purse, newModelMs }: Pick<HostedSettings, "purse" | "newModelMs"> = {},
): HostedModel {
  return openHostedModel({
    ...choice,
    ...(purse && { purse }),
    ...(newModelMs !== undefined && { newModelMs }),
    timeoutMs: TIMEOUT_MS,
    maxRetries: MAX_RETRIES,
    cacheFolder: join(workspace.settings.cacheDir, "hosted"),
    clock: workspace.clock,
    random: workspace.random,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    signal: workspace.signal,
    note: workspace.note,
  });
}

/** Says which parameters the answers were given without, and where several models gave them: a name may have moved on to another one. */
export function sayLeftOut(answers: readonly HostedAnswer[], workspace: Workspace): void {
  const names = [...new Set(answers.flatMap(({ left_out }) => left_out))];
  if (names.length > 0) workspace.note(`The model does not take ${names.join(", ")}: its answers were given without.`);
  const byModel = new Map<string, number>();
  for (const { model } of answers) byModel.set(model, (byModel.get(model) ?? 0) + 1);
  if (byModel.size < 2) return;
  const each = [...byModel].map(([model, n]) => `${model} ${count(n)}`).join(", ");
  workspace.note(
    `The answers are of ${byModel.size} models (${each}): name one of them, with its date, to have it alone.`,
  );
}
