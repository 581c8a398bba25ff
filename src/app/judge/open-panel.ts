/** @file A panel of hosted judges: opened together, with one budget, and asked one after the other. */

import { join } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import type { Context } from "../../cli/context.ts";
import {
  describeSending,
  type HostedChoice,
  type HostedFlags,
  hostedChoice,
  mustBeAllowed,
} from "../../cli/options/hosted.ts";
import type { ProgressLine } from "../../cli/screen/progress.ts";
import { estimateCost } from "../../eval/hosted/estimate.ts";
import { Purse } from "../../eval/hosted/purse.ts";
import type { HostedAnswer } from "../../eval/hosted/types.ts";
import { judgeRequests, type Panel, type PanelOpinion, panelDigest, panelOpinions } from "../../eval/judge/panel.ts";
import type { AnswerToJudge } from "../../eval/judge/prompt.ts";
import { openHosted, sayLeftOut } from "../hosted/open-hosted.ts";
import type { OpenAiSettings } from "../settings.ts";

export interface OpenPanel {
  /** Sorted. */
  judges: string[];
  digest: string;
  /** Shows what would be sent. @throws {SpecError} nobody allowed it */
  mustBeAllowed(items: readonly ItemToJudge[]): void;
  /** What the panel says of each item; replies are kept, so that no judge is paid twice. @throws as HostedModel.answer */
  ask(items: readonly ItemToJudge[], label: string, progress: ProgressLine): Promise<PanelOpinion[]>;
  spent: Purse["spending"];
}

export type ItemToJudge = AnswerToJudge & { id: string };

/**
 * The judges of a command line, by name; of one endpoint, each once.
 * @throws {SpecError} a name without openai:, a judge twice, an option that makes no sense
 */
export function judgesIn(list: string, flags: HostedFlags, env: OpenAiSettings): HostedChoice[] {
  const names = list.split(",").sort();
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw wrong("different judges", `${twice} twice`, "Name each judge once.");
  return names.map((name) => {
    const choice = name.startsWith("openai:") ? hostedChoice(name, flags, env) : undefined;
    if (choice !== undefined) return choice;
    const remedy = "A local model judges behind mixtune serve: openai:NAME with --base-url http://127.0.0.1:PORT/v1.";
    throw wrong("openai:NAME, with commas between several", name, remedy);
  });
}

/** @param choices  at least one, as {@link judgesIn} reads them */
export function openPanel(choices: readonly HostedChoice[], maxTokens: number, context: Context): OpenPanel {
  const first = choices[0]!;
  const { baseUrl, api, budget, prices } = first;
  const purse = new Purse(budget, prices, baseUrl);
  const judges = choices.map(({ model }) => model);
  const models = choices.map((choice) => openHosted(choice, context, { purse }));
  const panel: Panel = { judges, baseUrl, api, maxTokens };
  return {
    judges,
    digest: panelDigest(panel),
    spent: purse.spending,
    mustBeAllowed(items) {
      const requests = judgeRequests(items, panel);
      const cost = estimateCost(
        models.flatMap((model) => model.unanswered(requests)),
        prices,
      );
      context.note(describeSending({ ...first, model: judges.join(", ") }, items.length, cost));
      mustBeAllowed(first, cost);
    },
    async ask(items, label, progress) {
      const requests = judgeRequests(items, panel);
      const replies: HostedAnswer[][] = [];
      for (const [j, model] of models.entries()) {
        const whole = { label: `${judges[j]}: ${label}`, index: j + 1, total: models.length, secondsAfter: 0 };
        let done = 0;
        const answers = await model.answer(requests, () => {
          const common = { id: "judge", phase: "eval", unit: "examples" } as const;
          progress.update(whole, { ...common, done: ++done, total: items.length });
        });
        sayLeftOut(answers, context);
        sayCut(judges[j]!, answers, context);
        replies.push(answers);
      }
      return panelOpinions(judges, replies);
    },
  };

  function sayCut(judge: string, answers: readonly HostedAnswer[], { note }: Context): void {
    const numCut = answers.filter(({ finish_reason }) => finish_reason === "length").length;
    if (numCut === 0) return;
    note(
      `${judge}: ${count(numCut)} of ${count(answers.length)} replies were cut off at ${maxTokens} tokens and count as unreadable; raise --max-tokens.`,
    );
  }
}

/** Where a panel's calibration is kept. */
export function calibrationPath(digest: string, { settings }: Context): string {
  return join(settings.cacheDir, "calibrations", `${digest}.json`);
}

function wrong(expected: string, got: string, remedy: string): SpecError {
  return new SpecError({ place: "--judges", expected, got, remedy });
}
