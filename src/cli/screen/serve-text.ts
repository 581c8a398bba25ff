/** @file What is served where, and how it is asked, as a person reads it. */

import { shellWord } from "../../base/shell-word.ts";

/** A few lines for people. @param hasKey  whether requests need the key of the settings */
export function servedText(url: string, models: readonly { name: string; context: number }[], hasKey: boolean): string {
  const body = { model: models[0]!.name, temperature: 0, messages: [{ role: "user", content: "Your question" }] };
  const key = hasKey ? '-H "Authorization: Bearer $MIXTUNE_API_KEY" ' : "";
  return [
    url,
    ...models.map(({ name, context }) => `  ${name}  (${context} tokens)`),
    "A first request; labels want temperature 0:",
    `  curl ${url}/chat/completions ${key}-H 'Content-Type: application/json' -d ${shellWord(JSON.stringify(body))}`,
  ].join("\n");
}
