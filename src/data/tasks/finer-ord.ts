/** @file FiNER-ORD: the persons, locations and organizations named in sentences of financial news (Shah et al. 2023). */

import { join } from "node:path";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { renderAnswer } from "../answers.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { runsOf } from "../readers/entity-spans.ts";
import { checkCounts, withoutHeldOut } from "../readers/published.ts";

interface Sentence {
  /** Split and number of the article. */
  article: string;
  sentence: string;
  entities: { type: string; text: string }[];
}

/** By label / 2, rounded up: B and I of each. */
const TYPES = [null, "person", "location", "organization"];
/** Tokens and sentences of each file; a copy that lost some is refused. */
const PUBLISHED = { "train.csv.gz": [80531, 3262], "val.csv": [10233, 402], "test.csv": [25957, 1075] };

export const finerOrd = defineTask<Sentence>({
  name: "finer-ord",
  title: "names of persons, locations and organizations in financial news",
  publication: "Shah et al. 2023, FiNER-ORD",
  licence: "CC BY-NC 4.0",
  answer: { kind: "spans", field: "entities" },
  metric: "entity_f1",
  unit: "news article",
  published: { train: 3262, test: 1075 },
  prompts: {
    plain: ({ sentence }) =>
      `List the persons, locations and organizations named here, each with its type.\n${sentence}`,
    finben: ({ sentence }) =>
      `Find the named entities (person, location, organization) in this sentence of financial news and give each as "type: name", with semicolons between them, or none.\nSentence: ${sentence}\nAnswer:`,
  },
  example: ({ article, sentence, entities }) => ({ answer: renderAnswer(entities), group: article, text: sentence }),
  local: {
    files: Object.keys(PUBLISHED).map((file) => `finer-ord/${file}`),
    read(root, { notes }) {
      const train = readSentences(root, "train.csv.gz");
      const dev = readSentences(root, "val.csv");
      const test = readSentences(root, "test.csv");
      const numEmpty = [train, dev, test].flat().filter(({ record }) => record.entities.length === 0).length;
      notes.push(
        `finer-ord: ${train.length}, ${dev.length} and ${test.length} sentences as published, ${numEmpty} of them without any entity (answer: none); ` +
          "words are joined by spaces, as the corpus is split into tokens.",
      );
      return withoutHeldOut("finer-ord", { train, dev, test }, ({ sentence }) => sentence, notes);
    },
  },
  withoutTrain: "This source of FiNER-ORD has only its test; the files of the publication have train and dev too.",
  hub: {
    id: "TheFinAI/flare-finer-ord",
    splits: { test: "test" },
    columns: [["token", "text"], "label"],
    seenIn: "The-FinAI/PIXIU README.md",
    records: ({ token, label }, place) => [recordOfTags(token, label, place)],
  },
});

function readSentences(root: string, file: keyof typeof PUBLISHED): Numbered<Sentence>[] {
  const path = join(root, "finer-ord", file);
  const sentences = new Map<string, { article: string; tokens: string[]; ids: number[] }>();
  const rows = parseCsv(readText(path), path);
  for (const { line, row } of rows) {
    const { gold_label, gold_token, doc_idx, sent_idx } = row;
    const id = gold_label === "" ? Number.NaN : Number(gold_label);
    if (
      gold_token === undefined ||
      doc_idx === undefined ||
      sent_idx === undefined ||
      !Number.isInteger(id) ||
      id < 0 ||
      id > 6
    ) {
      throw damaged(`${path}:${line}`, "gold_label 0 to 6, gold_token, doc_idx and sent_idx", JSON.stringify(row));
    }
    const key = `${doc_idx}.${sent_idx}`;
    const known = sentences.get(key) ?? { article: `${file.split(".")[0]} article ${doc_idx}`, tokens: [], ids: [] };
    sentences.set(key, known);
    known.tokens.push(gold_token);
    known.ids.push(id);
  }
  checkCounts([rows.length, sentences.size], PUBLISHED[file], () =>
    damaged(
      path,
      `${PUBLISHED[file].join(" tokens in ")} sentences, as published`,
      `${rows.length} tokens in ${sentences.size}`,
    ),
  );
  return [...sentences].map(([number, { article, tokens, ids }]) => ({
    number,
    record: sentenceOf(article, tokens, ids),
  }));
}

/** Odd labels begin an entity, even ones go on with it. */
function sentenceOf(article: string, tokens: readonly string[], ids: readonly number[]): Sentence {
  const runs = runsOf(
    ids.map((id) => TYPES[Math.ceil(id / 2)]!),
    (at) => ids[at]! % 2 === 1,
  );
  const entities = runs.map(({ from, to, type }) => ({ type, text: tokens.slice(from, to).join(" ") }));
  return { article, sentence: tokens.join(" "), entities };
}

/** FinBen's form: words, as a list or between spaces, and a tag such as B-ORG for each; it names no article. */
function recordOfTags(words: unknown, label: unknown, place: string): Sentence {
  const tokens = typeof words === "string" ? words.split(" ") : Array.isArray(words) ? words.map(String) : [];
  const ids = Array.isArray(label)
    ? label.map((tag) =>
        tag === "O"
          ? 0
          : 2 * ["PER", "LOC", "ORG"].indexOf(String(tag).slice(2)) + (String(tag).startsWith("B") ? 1 : 2),
      )
    : [];
  if (tokens.length === 0 || ids.length !== tokens.length || ids.some((id) => id < 0)) {
    throw damaged(place, "a text and one tag for each of its words", JSON.stringify({ words, label }));
  }
  return sentenceOf(`sentence ${tokens.join(" ")}`, tokens, ids);
}
