/** @file Gold headlines: nine yes/no questions on each news headline about gold (Sinha and Khandait 2021). */

import { join } from "node:path";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { groupOfText } from "../splits/splits.ts";

interface Asked {
  news: string;
  question: string;
  answer: string;
}

/** Column of the file (its own spelling), our question, answered by yes or no, and what FinGPT's eleven wordings of it have in common. */
const QUESTIONS: readonly (readonly [string, string, RegExp])[] = [
  ["PriceOrNot", "Is the headline about price?", /\bprice\b(?! (?:going|staying|in the))/],
  ["DirectionUp", "Did the price rise?", /price going up/],
  ["DirectionConstant", "Is the price unchanged?", /price staying constant/],
  ["DirectionDown", "Did the price fall?", /price going down/],
  ["PastPrice", "Is a past price mentioned?", /price in the past/],
  ["FuturePrice", "Is a future price mentioned?", /price in the future/],
  ["PastNews", "Is there past news other than prices?", /event.* in the past/],
  ["FutureNews", "Is there news of the future other than prices?", /event.* in the future/],
  ["AssetComparision", "Is gold compared with any other asset?", /compar/],
];
const FILE = "gold-headlines/headlines.csv.gz";

export const headline = defineTask<Asked>({
  name: "headline",
  title: "nine yes/no questions on gold headlines",
  publication: "Sinha and Khandait 2021, Impact of News on the Commodity Market",
  licence: "not stated",
  answer: { kind: "label", field: "answer", labels: ["no", "yes"] },
  metric: "accuracy",
  unit: "distinct headline with its nine questions",
  maxTrain: 10_000,
  paper: { cap: 10_000 },
  prompts: {
    plain: ({ question, news }) => `${question}\n${news}`,
    labels: ({ question, news }) =>
      `Read this headline about gold and answer the question with one of these words and nothing else: yes, no.\n${question}\n${news}`,
  },
  example: ({ news, answer }) => ({ answer, group: groupOfText(news), text: news }),
  local: {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const rows = parseCsv(readText(path), path);
      const first = new Map<string, Numbered<Asked>[]>();
      let numDisagreeing = 0;
      for (const { line, row } of rows) {
        const news = row.News ?? "";
        const asked = QUESTIONS.map(([column, question], k) => ({
          number: `${line}.${k + 1}`,
          record: { news, question, answer: answerOf(row[column], `${path}:${line}`, column) },
        }));
        const known = first.get(groupOfText(news));
        if (known === undefined) first.set(groupOfText(news), asked);
        else if (asked.some(({ record }, k) => record.answer !== known[k]?.record.answer)) numDisagreeing++;
      }
      notes.push(
        `headline: ${rows.length} headlines, ${first.size} distinct texts; of repeats the first is used (${numDisagreeing} others disagree ` +
          "with it in some answer).",
      );
      return { train: [...first.values()].flat() };
    },
  },
  hub: {
    id: "FinGPT/fingpt-headline-cls",
    splits: { train: "train", test: "test" },
    columns: ["instruction", "input", "output"],
    caveat:
      "the notebook that made it answers whether a headline is about price from the column of constant prices, so those answers are not the publication's.",
    seenIn: "AI4Finance-Foundation/FinGPT fingpt/FinGPT_Benchmark/data/prepare_data.ipynb",
    records: ({ instruction, input, output }, place) => {
      const [, question] = QUESTIONS.find(([, , wording]) => wording.test(String(instruction))) ?? [];
      const answer = String(output).trim().toLowerCase();
      if (question === undefined || typeof input !== "string" || (answer !== "yes" && answer !== "no")) {
        throw damaged(
          place,
          "one of nine questions, a headline and Yes or No",
          JSON.stringify({ instruction, output }),
        );
      }
      return [{ news: input.trim(), question, answer }];
    },
  },
});

function answerOf(cell: string | undefined, place: string, column: string): string {
  if (cell === "1") return "yes";
  if (cell === "0") return "no";
  throw damaged(place, `0 or 1 in column ${column}`, cell === undefined ? "no such column" : `"${cell}"`);
}
