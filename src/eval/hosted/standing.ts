/** @file What a service's list of models says of one: whether it is there, and until when. */

import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";

/** How a model stands with its service. */
export type Standing =
  /** The service has no list, or does not show it to us. */
  { kind: "unsaid" } | { kind: "unknown"; names: string[] } | { kind: "listed"; end?: ModelEnd };

/** When a model goes. */
export interface ModelEnd {
  /** As the service writes it; empty: it has gone, and the service does not say when. */
  date: string;
  /** Milliseconds since 1970 from which on it holds: a day holds when it is over everywhere that keeps UTC. */
  from: number;
  /** `shutdown`: nothing is answered any more. `deprecated`: the service may stop answering. */
  kind: "shutdown" | "deprecated";
  /** Another model that the service names. */
  replacement?: string;
}

const text = z.string().nullish();
/**
 * `shutdown_date`: OpenAI. `deprecation` and `deprecation_replacement_model`: Mistral, with `aliases`. `expiration_date`: OpenRouter, after which a
 * model may be removed. `active`: Groq. `digest`: mixtune serve.
 * @source developers.openai.com/api/reference/resources/models, docs.mistral.ai/api, openrouter.ai/docs/api-reference/list-available-models
 */
const card = z.looseObject({
  id: z.string(),
  aliases: z.array(z.string()).nullish(),
  shutdown_date: text,
  deprecation: text,
  expiration_date: text,
  deprecation_replacement_model: text,
  active: z.boolean().nullish(),
  digest: text,
});
/** As OpenAI has it, and bare as Together has it. */
const listed = z.union([
  z.array(z.unknown()),
  z.looseObject({ data: z.array(z.unknown()) }).transform(({ data }) => data),
]);

type Card = z.infer<typeof card>;

/**
 * What mixtune serve says of the model that stands behind a name now: a digest of what its answers follow from. Undefined: another service, which says
 * nothing of the kind, or one out of reach.
 */
export async function servedDigest(endpoint: Endpoint, model: string): Promise<string | undefined> {
  const outcome = await endpoint.ask((client) => client.get("/models"));
  const cards = outcome.kind === "answered" ? cardsIn(outcome.body) : [];
  return cards.find(({ id }) => id === model)?.digest ?? undefined;
}

/** Asks the service: one request, or two where the model is not in its list. Whatever goes wrong is unsaid. */
export async function standingOf(endpoint: Endpoint, model: string): Promise<Standing> {
  const outcome = await endpoint.ask((client) => client.get("/models"));
  const cards = outcome.kind === "answered" ? cardsIn(outcome.body) : [];
  if (cards.length === 0) return { kind: "unsaid" };
  const named = (name: string) =>
    cards.find(({ id }) => id === name) ?? cards.find(({ aliases }) => aliases?.includes(name));
  // OpenRouter's variants, name:nitro, are not in its list.
  const found = named(model) ?? named(model.replace(/:[a-z]+$/, ""));
  if (found !== undefined) return standing(found);
  const alone = await endpoint.ask(({ models }) => models.retrieve(model));
  if (alone.kind === "refused" && alone.status === 404) return { kind: "unknown", names: cards.map(({ id }) => id) };
  const [one] = alone.kind === "answered" ? cardsIn([alone.body]) : [];
  return one === undefined ? { kind: "unsaid" } : standing(one);
}

function cardsIn(body: unknown): Card[] {
  return (listed.safeParse(body).data ?? []).flatMap((entry) => card.safeParse(entry).data ?? []);
}

function standing(found: Card): Standing {
  const end = endOf(found);
  return { kind: "listed", ...(end && { end }) };
}

function endOf({ shutdown_date, deprecation, expiration_date, active, ...rest }: Card): ModelEnd | undefined {
  const replacement = rest.deprecation_replacement_model ?? undefined;
  const end = (date: string, kind: ModelEnd["kind"]): ModelEnd => {
    return { date, from: fromOf(date), kind, ...(replacement !== undefined && { replacement }) };
  };
  if (active === false) return { ...end("", "shutdown"), from: Number.NEGATIVE_INFINITY };
  if (shutdown_date) return end(shutdown_date, "shutdown");
  const date = deprecation ?? expiration_date;
  return date ? end(date, "deprecated") : undefined;
}

const DAY_MS = 86_400_000;

/** NaN where it is no date: then nothing follows from it. */
function fromOf(date: string): number {
  return Date.parse(date) + (/^\d{4}-\d{2}-\d{2}$/.test(date) ? DAY_MS : 0);
}
