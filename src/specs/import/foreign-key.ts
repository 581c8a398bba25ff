/** @file What a key that a study file does not know means in LLaMA-Factory or Axolotl, for the message about it. */

import { AXOLOTL_KEYS } from "./axolotl-keys.ts";
import { LLAMA_FACTORY_KEYS } from "./llama-factory-keys.ts";

const TOOLS = { "LLaMA-Factory": LLAMA_FACTORY_KEYS, Axolotl: AXOLOTL_KEYS };

/** What to do about a key of another tool, as its importer has it; undefined: neither tool has the key. */
export function foreignKey(key: string): string | undefined {
  for (const [tool, keys] of Object.entries(TOOLS)) {
    const known = keys.get(key);
    if (known?.fate === "carried") return `Of ${tool} this key becomes: ${known.why}.`;
    if (known !== undefined) return `Remove it. ${tool} has this key (${known.why}); a study has no such setting.`;
  }
  return undefined;
}
