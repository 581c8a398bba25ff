/** @file Questions with a system prompt and a long answer, as the Orca sets have them. */

import { groupOfText } from "../splits/splits.ts";
import type { TaskDefinition } from "./definition.ts";

export interface SystemQuestion {
  /** How the answerer was told to be; may be empty. */
  system: string;
  question: string;
  response: string;
}

/** What such tasks share: the system prompt stands in front of the question (`plain`), or is left out (`question`). */
export const SYSTEM_QUESTIONS = {
  prompts: {
    plain: ({ system, question }) => (system === "" ? question : `${system}\n\n${question}`),
    question: ({ question }) => question,
  },
  example: ({ question, response }) => ({ answer: response, group: groupOfText(question), text: question }),
} satisfies Pick<TaskDefinition<SystemQuestion>, "prompts" | "example">;
