/** @file FiQA 2018, task 1: the sentiment of a headline or post towards a company, from its score (Maia et al. 2018). */

import { join } from "node:path";
import { readText } from "../../formats/files.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { listOf, objectOf, parseJson } from "../readers/json-rows.ts";
import { checkCounts, withoutHeldOut } from "../readers/published.ts";
import { groupOfText } from "../splits/splits.ts";

interface Opinion {
  sentence: string;
  target: string;
  label: string;
}

const LABELS = ["negative", "neutral", "positive"];
/** Number of scores below, at and above zero in each file; a copy with lost or changed rows is refused. */
const PUBLISHED = { train: [245, 11, 514], valid: [44, 0, 67], test: [87, 2, 141] };

export const fiqaSa = defineTask<Opinion>({
  name: "fiqa-sa",
  title: "sentiment towards a company in headlines and posts",
  publication: "Maia et al. 2018, FiQA challenge, task 1; 1111 of the 1173 targets sometimes counted",
  licence: "not stated",
  answer: { kind: "label", field: "label", labels: LABELS },
  metric: "accuracy",
  unit: "distinct headline or post",
  prompts: {
    plain: ({ sentence, target }) => `Is this positive, neutral or negative about ${target}?\n${sentence}`,
    fingpt: ({ sentence }) =>
      `What is the sentiment of this financial text? Choose one of {negative/neutral/positive}.\n${sentence}`,
    finben: ({ sentence }) =>
      `Say whether this financial text is negative, neutral or positive in sentiment.\nText: ${sentence}\nAnswer:`,
    labels: ({ sentence, target }) =>
      `Read this financial text and infer its sentiment towards ${target}. Answer with one of these words and nothing else: negative, neutral, positive.\n${sentence}`,
  },
  example: ({ sentence, label }) => ({ answer: label, group: groupOfText(sentence), text: sentence }),
  local: {
    files: ["fiqa-sa/task1_train.json", "fiqa-sa/task1_valid.json", "fiqa-sa/task1_test.json"],
    read(root, { notes }) {
      const read = (file: keyof typeof PUBLISHED) =>
        readOpinions(join(root, `fiqa-sa/task1_${file}.json`), PUBLISHED[file]);
      const [train, dev, test] = [read("train"), read("valid"), read("test")];
      notes.push(
        `fiqa-sa: ${train.length + dev.length + test.length} texts, one target each; the label is the sign of the score, neutral only where it is 0.`,
      );
      return withoutHeldOut("fiqa-sa", { train, dev, test }, ({ sentence }) => sentence, notes);
    },
  },
  hub: {
    id: "TheFinAI/fiqa-sentiment-classification",
    splits: { train: "train", dev: "valid", test: "test" },
    columns: ["sentence", "target", ["score", "sentiment_score"]],
    seenIn: "TheFinAI/fiqa-sentiment-classification README.md",
    records: ({ sentence, target, score }, place) => [opinionOf(sentence, target, score, place)],
  },
});

/** An object by id: `{sentence, info: [{target, sentiment_score}]}`. */
function readOpinions(path: string, published: readonly number[]): Numbered<Opinion>[] {
  const rows = Object.entries(objectOf(parseJson(readText(path), path), path)).map(([id, entry]) => {
    const place = `${path}: ${id}`;
    const { sentence, info } = objectOf(entry, place);
    const [about, ...more] = listOf(info, place);
    if (more.length > 0) throw damaged(place, "one target", `${more.length + 1}`);
    const { target, sentiment_score } = objectOf(about, place);
    return { number: id, record: opinionOf(sentence, target, sentiment_score, place) };
  });
  const counts = LABELS.map((label) => rows.filter(({ record }) => record.label === label).length);
  checkCounts(counts, published, () =>
    damaged(path, `${published.join(", ")} scores below, at and above zero`, counts.join(", ")),
  );
  return rows;
}

function opinionOf(sentence: unknown, target: unknown, score: unknown, place: string): Opinion {
  if (typeof sentence === "string" && typeof target === "string" && typeof score === "number" && Math.abs(score) <= 1) {
    return { sentence, target, label: LABELS[Math.sign(score) + 1]! };
  }
  throw damaged(place, "sentence, target and a score from -1 to 1", JSON.stringify({ sentence, target, score }));
}
