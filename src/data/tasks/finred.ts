/** @file FinRED: which relations between companies, people and products a sentence of financial news states (Sharma et al. 2022). */

import { join } from "node:path";
import { readText } from "../../formats/files.ts";
import { renderAnswer } from "../answers.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { asPublished, withoutHeldOut } from "../readers/published.ts";
import { groupOfText } from "../splits/splits.ts";

interface Related {
  sentence: string;
  relations: { head: string; tail: string; relation: string }[];
}

/** Published number of sentences and, counted, of relations. */
const PUBLISHED = { "train.txt.gz": [5700, 8079], "dev.txt": [1007, 1554], "test.txt": [1068, 1488] } as const;

export const finred = defineTask<Related>({
  name: "finred",
  title: "relations stated in sentences of financial news",
  publication: "Sharma et al. 2022, FinRED",
  licence: "CC BY-NC 4.0 (the carrying repository's)",
  answer: { kind: "spans", field: "relations" },
  metric: "relation_f1",
  unit: "distinct sentence",
  published: { train: 5700, test: 1068 },
  prompts: {
    plain: ({ sentence }) =>
      `Which relations does this sentence state? Give each as "relation: head | tail".\n${sentence}`,
    fingpt: ({ sentence }) =>
      `Find every relation in the sentence below and write the relation with its two entities.\nSentence: ${sentence}\nAnswer:`,
  },
  example: ({ sentence, relations }) => ({
    answer: renderAnswer(relations.map(({ head, tail, relation }) => ({ type: relation, text: `${head} | ${tail}` }))),
    group: groupOfText(sentence),
    text: sentence,
  }),
  local: {
    files: Object.keys(PUBLISHED).map((file) => `finred/${file}`),
    read(root, { notes }) {
      const train = readRelated(root, "train.txt.gz");
      const dev = readRelated(root, "dev.txt");
      const test = readRelated(root, "test.txt");
      const all = [train, dev, test].flat().map(({ record }) => record);
      const numUnseen = all
        .flatMap(({ sentence, relations }) =>
          relations.map(({ head, tail }) => !(sentence.includes(head) && sentence.includes(tail))),
        )
        .filter(Boolean).length;
      notes.push(
        `finred: ${train.length}, ${dev.length} and ${test.length} sentences as published, ${all.flatMap(({ relations }) => relations).length} relations; ` +
          `in ${numUnseen} of them an entity does not stand in the sentence letter for letter.`,
      );
      return withoutHeldOut("finred", { train, dev, test }, ({ sentence }) => sentence, notes);
    },
  },
  hub: {
    id: "FinGPT/fingpt-finred-re",
    splits: { train: "train", test: "test" },
    columns: ["input", "output"],
    isRepetitive: true, // two wordings
    seenIn: "AI4Finance-Foundation/FinGPT fingpt/FinGPT_Benchmark/data/prepare_data.ipynb",
    records: ({ input, output }, place) => [relatedOfClauses(input, output, place)],
  },
});

/** A line is `sentence | head ; tail ; relation | head ; tail ; relation`; relations have _ for spaces. */
function readRelated(root: string, file: keyof typeof PUBLISHED): Numbered<Related>[] {
  const path = join(root, "finred", file);
  const [numSentences, numRelations] = PUBLISHED[file];
  const rows: Numbered<Related>[] = [];
  for (const [i, line] of readText(path).split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    rows.push({ number: i + 1, record: relatedOfLine(line, `${path}:${i + 1}`) });
  }
  asPublished(rows, numSentences, path);
  asPublished(
    rows.flatMap(({ record }) => record.relations),
    numRelations,
    `${path}: relations`,
  );
  return rows;
}

/** The relations stand at the end, as many as have their form: a sentence may hold a bar. */
function relatedOfLine(line: string, place: string): Related {
  const parts = line.split(" | ");
  const relations: Related["relations"] = [];
  while (parts.length > 1) {
    const [head, tail, relation, ...more] = parts.at(-1)!.split(" ; ");
    if (head === undefined || tail === undefined || relation === undefined || more.length > 0) break;
    relations.unshift({ head: head.trim(), tail: tail.trim(), relation: relation.trim().replaceAll("_", " ") });
    parts.pop();
  }
  const sentence = parts.join(" | ").trim();
  if (sentence === "" || relations.length === 0) throw damaged(place, "sentence | head ; tail ; relation", line);
  return { sentence, relations };
}

/** FinGPT's form: `relation: head, tail; relation: head, tail`. */
function relatedOfClauses(input: unknown, output: unknown, place: string): Related {
  const clauses = String(output)
    .split(";")
    .map((clause) => /^\s*([^:]+): (.+), ([^,]+)$/.exec(clause));
  if (typeof input !== "string" || clauses.includes(null)) {
    throw damaged(place, "a sentence and relation: head, tail", JSON.stringify({ input, output }));
  }
  const relations = clauses.map((clause) => {
    const [, relation = "", head = "", tail = ""] = clause!;
    return { head: head.trim(), tail: tail.trim(), relation: relation.trim().replaceAll("_", " ") };
  });
  return { sentence: input.trim(), relations };
}
