/** @file NWGI: the sentiment of stock news in seven steps, labelled by ChatGPT (FinGPT's news with GPT instructions, 2023). */

import { join } from "node:path";
import { damaged } from "../readers/damaged.ts";
import { defineTask } from "../readers/definition.ts";
import { readJsonLines, textField } from "../readers/json-rows.ts";
import { checkCounts } from "../readers/published.ts";
import { groupOfText } from "../splits/splits.ts";

interface News {
  news: string;
  label: string;
}

const LABELS = [
  "strong negative",
  "moderately negative",
  "mildly negative",
  "neutral",
  "mildly positive",
  "moderately positive",
  "strong positive",
];
/** Number of rows of each label of the test, in the order of LABELS; a copy with lost or changed rows is refused. */
const PUBLISHED = [75, 733, 534, 491, 646, 1522, 46];
const FILE = "fingpt-format-test-sets/nwgi_test.jsonl.gz";

export const nwgi = defineTask<News>({
  name: "nwgi",
  title: "sentiment of stock news in seven steps, labelled by a language model",
  publication: "Yang et al. 2023, FinGPT; labels were given by ChatGPT",
  licence: "OpenMDW-1.0 (the carrying repository's)",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct news text",
  published: { test: byLabel(PUBLISHED) },
  prompts: {
    plain: ({ news }) => `How positive or negative is this news?\n${news}`,
    fingpt: ({ news }) => `What is the sentiment of this news? Choose one of {${LABELS.join("/")}}.\n${news}`,
    labels: ({ news }) =>
      `Read this stock news and grade its sentiment. Answer with one of these and nothing else: ${LABELS.join(", ")}.\n${news}`,
  },
  example: ({ news, label }) => ({ answer: label, group: groupOfText(news), text: news }),
  withoutTrain: "Only the test of NWGI is in these files; its train split is on the hub.",
  local: {
    files: [FILE],
    read(root, { notes }) {
      const path = join(root, FILE);
      const test = readJsonLines(path).map(({ number, row, place }) => {
        const news = /\nInput: (.*)\nAnswer:$/s.exec(textField(row, "context", place))?.[1];
        return { number, record: newsOf(news, row.target, place) };
      });
      const counts = LABELS.map((label) => test.filter(({ record }) => record.label === label).length);
      checkCounts(counts, PUBLISHED, () =>
        damaged(path, `${PUBLISHED.join(", ")} rows of ${LABELS.join(", ")}`, counts.join(", ")),
      );
      notes.push(`nwgi: ${test.length} test texts; their labels were given by ChatGPT, not by people.`);
      return { test };
    },
  },
  hub: {
    id: "oliverwang15/news_with_gpt_instructions",
    splits: { train: "train", test: "test" },
    columns: ["news", "label"],
    seenIn: "Open-Finance-Lab/FinLoRA data/process_sentiment_train.py",
    records: ({ news, label }, place) => [newsOf(news, label, place)],
  },
});

function newsOf(news: unknown, target: unknown, place: string): News {
  const label = String(target).trim().toLowerCase();
  if (typeof news === "string" && news.trim() !== "" && LABELS.includes(label)) return { news: news.trim(), label };
  throw damaged(place, `a news text with one of ${LABELS.join(", ")}`, JSON.stringify({ news, target }));
}

function byLabel(counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(LABELS.map((label, i) => [label, counts[i]!]));
}
