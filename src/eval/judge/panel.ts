/** @file Several judges of the same answers: what they are asked, and what they say together. */

import { digestOf } from "../../base/digest.ts";
import { panelVerdict } from "../../metrics/judged.ts";
import type { PanelVerdict, Verdict } from "../../specs/verdicts.ts";
import type { HostedAnswer, HostedApi, HostedRequest } from "../hosted/types.ts";
import { type AnswerToJudge, judgePrompt, type Opinion, PROMPT_DIGEST, readVerdict } from "./prompt.ts";

/** Who judges, and under which conditions. */
export interface Panel {
  /** Models of one endpoint, sorted by name. */
  judges: readonly string[];
  baseUrl: string;
  api: HostedApi;
  /** The most tokens of a reply. */
  maxTokens: number;
}

/** What decides how a panel judges, its prompt included: calibration holds for panels of one digest. */
export function panelDigest({ judges, baseUrl, api, maxTokens }: Panel): string {
  return digestOf({ judges, base_url: baseUrl, api, max_tokens: maxTokens, prompt: PROMPT_DIGEST });
}

/** What each judge is asked, in the order of the answers. */
export function judgeRequests(
  items: readonly (AnswerToJudge & Pick<HostedRequest, "id" | "skipsTooLong">)[],
  { maxTokens }: Pick<Panel, "maxTokens">,
): HostedRequest[] {
  return items.map((item) => ({
    id: item.id,
    prompt: judgePrompt(item),
    maxTokens,
    skipsTooLong: item.skipsTooLong ?? false,
  }));
}

/** What a panel says of one answer, as it is stored. */
export interface PanelOpinion {
  verdict: PanelVerdict;
  judges: ({ judge: string } & Opinion)[];
}

/** Puts the replies together. @param replies  per judge, then item */
export function panelOpinions(
  judges: readonly string[],
  replies: readonly (readonly Pick<HostedAnswer, "text" | "finish_reason">[])[],
): PanelOpinion[] {
  return (replies[0] ?? []).map((_, i) => {
    const opinions = judges.map((judge, j) => {
      const { text, finish_reason } = replies[j]![i]!;
      return { judge, ...readVerdict(text, finish_reason === "length") };
    });
    return { verdict: panelVerdict(votesOf({ judges: opinions })), judges: opinions };
  });
}

/** The single verdicts. */
export function votesOf({ judges }: Pick<PanelOpinion, "judges">): (Verdict | null)[] {
  return judges.map(({ verdict }) => verdict);
}
