/** @file How a command hands its work to the one place that runs it (main.ts). */

import type { Context } from "./context.ts";

/** What a command does; its own arguments are closed over. Returns its exit status. */
export type Action = (context: Context) => Promise<number> | number;

/** Runs an action and turns what it throws into a message and an exit status. */
export type Act = (action: Action) => Promise<void>;
