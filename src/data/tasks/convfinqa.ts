/** @file ConvFinQA: conversations on pages of financial reports (Chen et al. 2022), a question a turn; its dev split is what the field reports as test. */

import { resultText } from "../../base/finqa-program.ts";
import { CONVFINQA_FILES, readTurns } from "../readers/convfinqa-files.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { pageOfText } from "../readers/finance-page.ts";
import { PAGE_QUESTIONS, type PageQuestion } from "../readers/page-questions.ts";

export const convfinqa = defineTask<PageQuestion>({
  ...PAGE_QUESTIONS,
  name: "convfinqa",
  title: "conversations with numerical questions on report pages",
  publication: "Chen et al. 2022, ConvFinQA; its dev split is the test, as the answers of the true test are private",
  licence: "MIT",
  published: { train: 11_104, test: 1490 },
  variants: { gold: "the answers of earlier turns in the prompt are the gold ones" },
  withoutTrain:
    "The original train split of ConvFinQA is not in these files, only its dev dialogues; convfinqa-by-page splits those by report page, under its own name.",
  local: { files: CONVFINQA_FILES, read: (root, { notes }) => ({ test: readTurns(root, notes) }) },
  hub: {
    id: "FinGPT/fingpt-convfinqa",
    splits: { train: "train", test: "test" },
    columns: ["input", "output"],
    seenIn: "AI4Finance-Foundation/FinGPT fingpt/FinGPT_Benchmark/data/prepare_data.ipynb",
    records: ({ input, output }, place) => [recordOf(String(input), output, place)],
  },
});

/** A page with its table in HTML, then `Question: …` and `Answer: …` for each earlier turn, and the last question; its answer may stand open. */
function recordOf(input: string, output: unknown, place: string): PageQuestion {
  const [context = "", ...asked] = input.split(/\s*\bQuestion: /);
  const turns = asked.map((turn) => {
    const [question = "", answer = ""] = turn.split(/\s*\bAnswer:/);
    return { question: question.trim(), answer: answer.trim() };
  });
  const last = turns.pop();
  const earlier = turns.map(({ question, answer }) => ({ question, answer: resultText(answer) ?? answer }));
  const answer = resultText(output);
  const isWhole = turns.every((turn) => turn.question !== "" && turn.answer !== "");
  if (last === undefined || last.question === "" || last.answer !== "" || !isWhole || answer === null) {
    throw damaged(place, "a page, the earlier turns and a last question", JSON.stringify(input.slice(-60)));
  }
  return { page: pageOfText(context), context: context.trim(), earlier, question: last.question, answer };
}
