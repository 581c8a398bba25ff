/** @file What a service says of a model, read before rows are sent: when it ends, and which model it is. */

import { SpecError } from "../../base/errors.ts";
import { openEndpoint } from "../../eval/hosted/endpoint.ts";
import { type ModelEnd, servedDigest, standingOf } from "../../eval/hosted/standing.ts";
import { didYouMean } from "../../specs/nearest.ts";
import type { Workspace } from "../workspace.ts";
import { type HostedChoice, OPENAI_URL } from "./choice.ts";

/** A list of models is short, and nobody waits long for what is only good to know. */
const TIMEOUT_MS = 10_000;

/**
 * Says when the service ends the model. Sends the key and no rows; a service without a list, or out of reach, changes nothing.
 *
 * @param ifUnlisted  of a model that is not in the service's list. Default: it is said, as some services answer for more names than they list and
 *   others refuse the first request
 * @throws {SpecError} a model that has ended
 */
export async function sayEnding(
  choice: HostedChoice,
  { note, clock }: Workspace,
  ifUnlisted: "say" | "refuse" = "say",
): Promise<void> {
  const { baseUrl, model, apiKey } = choice;
  if (baseUrl === OPENAI_URL && apiKey === undefined) return; // it answers nobody without a key
  const endpoint = openEndpoint({ ...choice, timeoutMs: TIMEOUT_MS });
  const standing = await standingOf(endpoint, model);
  const place = `${endpoint.host}: ${model}`;
  if (standing.kind === "unknown") {
    const { names } = standing;
    const unlisted = new SpecError({
      place,
      expected: "a model that the service has",
      got: "one that is not in its list of models",
      remedy: didYouMean(model, names),
    });
    if (ifUnlisted === "refuse") throw unlisted;
    return note(unlisted.message);
  }
  if (standing.kind === "unsaid" || standing.end === undefined) return;
  const { end } = standing;
  if (end.kind === "shutdown" && end.from <= clock()) throw ended(place, end);
  const instead = end.replacement === undefined ? "" : ` The service names ${end.replacement} in its place.`;
  const what =
    end.kind === "shutdown"
      ? `${endpoint.host} shuts ${model} down on ${end.date}.`
      : `${endpoint.host} deprecates ${model} on ${end.date} and may stop answering.`;
  note(`${what}${instead} Answers that were stored by then can be scored again.`);
}

/**
 * A choice with what mixtune serve says of the model behind the name, so that answers of another model that was served under it are not taken for
 * this one's.
 */
export async function asServed(choice: HostedChoice): Promise<HostedChoice> {
  if (choice.baseUrl === OPENAI_URL) return choice;
  const served = await servedDigest(openEndpoint({ ...choice, timeoutMs: TIMEOUT_MS }), choice.model);
  return { ...choice, ...(served !== undefined && { served }) };
}

function ended(place: string, { date, replacement }: ModelEnd): SpecError {
  return new SpecError({
    place,
    expected: "a model that the service still answers with",
    got: date === "" ? "one that it has switched off" : `one that it shut down on ${date}`,
    remedy: `${
      replacement === undefined ? "Name another model" : `Name another model, such as ${replacement}`
    }. Answers that are stored can be scored again without the service: mixtune rescore.`,
  });
}
