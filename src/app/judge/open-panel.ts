/** @file A panel of hosted judges: opened together, with one budget, and asked one after the other. */

import { join } from "node:path";
import { SpecError } from "../../base/errors.ts";
import { count } from "../../base/human-numbers.ts";
import { estimateCost } from "../../eval/hosted/estimate.ts";
import { Purse } from "../../eval/hosted/purse.ts";
import { type HostedAnswer, type HostedRequest, TOO_LONG } from "../../eval/hosted/types.ts";
import { judgeRequests, type Panel, type PanelOpinion, panelDigest, panelOpinions } from "../../eval/judge/panel.ts";
import type { AnswerToJudge } from "../../eval/judge/prompt.ts";
import { type HostedChoice, type HostedOptions, hostedChoice, mustBeAllowed } from "../hosted/choice.ts";
import { describeSending } from "../hosted/describe.ts";
import { sayEnding } from "../hosted/ending.ts";
import { openHosted, sayLeftOut } from "../hosted/open-hosted.ts";
import type { OpenAiSettings } from "../settings.ts";
import type { Workspace } from "../workspace.ts";

export interface OpenPanel {
  /** Sorted. */
  judges: string[];
  digest: string;
  /** Shows what would be sent. @throws {SpecError} nobody allowed it; a judge that its service has closed */
  mustBeAllowed(items: readonly ItemToJudge[]): Promise<void>;
  /** What the panel says of each item; replies are kept, so that no judge is paid twice. @throws as HostedModel.answer */
  ask(items: readonly ItemToJudge[], label: string): Promise<PanelOpinion[]>;
  spent: Purse["spending"];
}

/** `skipsTooLong`: a judge that cannot read it for its length has no vote (`on_bad_row: skip`). Default: an error. */
export type ItemToJudge = AnswerToJudge & Pick<HostedRequest, "id" | "skipsTooLong">;

/**
 * The judges, by name; of one endpoint, each once.
 * @throws {SpecError} a name without openai:, a judge twice, an option that makes no sense
 */
export function judgesIn(list: readonly string[], options: HostedOptions, env: OpenAiSettings): HostedChoice[] {
  const names = list.toSorted();
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw wrong("different judges", `${twice} twice`, "Name each judge once.");
  return names.map((name) => {
    const choice = name.startsWith("openai:") ? hostedChoice(name, options, env) : undefined;
    if (choice !== undefined) return choice;
    const remedy =
      "A local model judges behind mixtune serve: openai:NAME with options.baseUrl http://127.0.0.1:PORT/v1.";
    throw wrong("openai:NAME, with commas between several", name, remedy);
  });
}

/** @param choices  at least one, as {@link judgesIn} reads them */
export function openPanel(choices: readonly HostedChoice[], maxTokens: number, workspace: Workspace): OpenPanel {
  const first = choices[0]!;
  const { baseUrl, api, budget, prices } = first;
  const purse = new Purse(budget, prices, baseUrl);
  const judges = choices.map(({ model }) => model);
  const models = choices.map((choice) => openHosted(choice, workspace, { purse }));
  const panel: Panel = { judges, baseUrl, api, maxTokens };
  return {
    judges,
    digest: panelDigest(panel),
    spent: purse.spending,
    async mustBeAllowed(items) {
      const requests = judgeRequests(items, panel);
      const unanswered = models.map((model) => model.unanswered(requests));
      const cost = estimateCost(unanswered.flat(), prices);
      workspace.note(describeSending({ ...first, model: judges.join(", ") }, items.length, cost));
      mustBeAllowed(first, cost);
      for (const [j, choice] of choices.entries()) if (unanswered[j]!.length > 0) await sayEnding(choice, workspace);
    },
    async ask(items, label) {
      const requests = judgeRequests(items, panel);
      const replies: HostedAnswer[][] = [];
      for (const [j, model] of models.entries()) {
        let done = 0;
        const answers = await model.answer(requests, () => {
          workspace.progress({
            ...{ id: "judge", label: `${judges[j]}: ${label}`, index: j + 1, pieces: models.length },
            ...{ phase: "eval", done: ++done, total: items.length, unit: "examples" },
          });
        });
        sayLeftOut(answers, workspace);
        sayCut(judges[j]!, answers, workspace);
        sayTooLong(judges[j]!, answers, workspace);
        replies.push(answers);
      }
      return panelOpinions(judges, replies);
    },
  };

  function sayTooLong(judge: string, answers: readonly HostedAnswer[], { note }: Workspace): void {
    const numTooLong = answers.filter(({ finish_reason }) => finish_reason === TOO_LONG).length;
    if (numTooLong === 0) return;
    note(
      `${judge}: ${count(numTooLong)} of ${count(answers.length)} prompts do not fit its context: it has no vote on these answers.`,
    );
  }

  function sayCut(judge: string, answers: readonly HostedAnswer[], { note }: Workspace): void {
    const numCut = answers.filter(({ finish_reason }) => finish_reason === "length").length;
    if (numCut === 0) return;
    note(
      `${judge}: ${count(numCut)} of ${count(answers.length)} replies were cut off at ${maxTokens} tokens and count as unreadable; raise options.maxNewTokens.`,
    );
  }
}

/** Where a panel's calibration is kept. */
export function calibrationPath(digest: string, { settings }: Workspace): string {
  return join(settings.cacheDir, "calibrations", `${digest}.json`);
}

function wrong(expected: string, got: string, remedy: string): SpecError {
  return new SpecError({ place: "options.judges", expected, got, remedy });
}
