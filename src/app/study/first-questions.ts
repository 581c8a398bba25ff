/** @file What init asks where somebody can answer: the column of the answer, the base model, how many models to train. Without that: the defaults. */

import { count, counted } from "../../base/human-numbers.ts";
import type { FileFacts } from "../../data/own/file-facts.ts";
import { type Proposal, proposeTask } from "../../data/own/propose.ts";
import type { DesignPart } from "../../specs/types.ts";
import { designedMixtures } from "../../study/designs.ts";

/** One question with the answers that are proposed. */
export interface FirstQuestion {
  text: string;
  /** The first is the default. */
  choices: { value: string; about: string }[];
  /** Whether an answer may be none of the choices. */
  isOpen: boolean;
}

/** Asks a person. @returns a value of the choices, or another text where the question is open */
export type Ask = (question: FirstQuestion) => Promise<string>;

/** How much is trained: a first look, a study, or one whose differences are more than luck. */
export const PRESETS = ["normal", "quick", "careful"] as const;
export type Preset = (typeof PRESETS)[number];

/** Mixtures and seeds of a preset. @param numTasks  tasks that are trained on and scored */
export function presetOf(preset: Preset, numTasks: number): { design: Extract<DesignPart, string>[]; seeds: number[] } {
  const seeds = { quick: [1], normal: [1, 2], careful: [1, 2, 3, 4, 5] }[preset];
  if (numTasks === 1 || preset === "quick") return { design: ["all"], seeds };
  return { design: preset === "careful" && numTasks > 2 ? ["singles", "pairs", "all"] : ["singles", "all"], seeds };
}

/** Which column a task's answer is in: asked where several could be. */
export async function askAnswer(task: string, facts: FileFacts, ask: Ask): Promise<string | undefined> {
  const first = answerOf(proposeTask(facts));
  const columns = [...facts.columns.keys()].filter((name) => name !== first?.field);
  const others = columns.flatMap((name) => answerOf(proposeTask(facts, { answer: name })) ?? []);
  const choices = [...(first === undefined ? [] : [first]), ...others].map((answer) => ({
    value: answer.field,
    about: answer.kind === "label" ? `${count(answer.labels.length)} labels` : answer.kind,
  }));
  if (choices.length < 2) return undefined;
  return ask({ text: `${task}: which column is the answer?`, choices, isOpen: false });
}

function answerOf(proposal: Proposal | string): Proposal["answer"] {
  return typeof proposal === "string" ? undefined : proposal.answer;
}

/** The base model. @param shipped  what is taken without an answer */
export function askModel(shipped: string, ask: Ask): Promise<string> {
  const about = "ships with mixtune; a larger one is a folder, ./my-model, or a name of the Hugging Face hub, org/name";
  return ask({ text: "Which base model?", choices: [{ value: shipped, about }], isOpen: true });
}

/** How much to train. */
export async function askPreset(numTasks: number, ask: Ask): Promise<Preset> {
  const names = Array.from({ length: numTasks }, (_, i) => `${i}`);
  const choices = PRESETS.map((value) => {
    const { design, seeds } = presetOf(value, numTasks);
    const { length } = designedMixtures(design, names);
    return {
      value,
      about: `${counted(length * seeds.length, "training")}: ${design.join(", ")}, seeds ${seeds.join(", ")}`,
    };
  });
  const answer = await ask({ text: "How long may it take?", choices, isOpen: false });
  return PRESETS.find((preset) => preset === answer) ?? "normal";
}
