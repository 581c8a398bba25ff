/** @file The two datasets of labelled financial tweets (zeroshot, 2022): CSV files of one form, numbered labels, a validation split that serves as test. */

import { join } from "node:path";
import { parseCsv } from "../../formats/csv.ts";
import { readText } from "../../formats/files.ts";
import { groupOfText } from "../splits/splits.ts";
import { labelOf } from "./class-label.ts";
import { damaged } from "./damaged.ts";
import type { Numbered, TaskDefinition } from "./definition.ts";
import { checkCounts } from "./published.ts";

export interface Tweet {
  text: string;
  label: string;
}

/** What tells one dataset from the other. */
export interface TweetDataset {
  /** Name of the task. */
  name: string;
  /** On the hub, and name of the local folder. */
  id: string;
  files: { train: string; valid: string };
  /** By their numbers. */
  labels: string[];
  /** Published number of rows of each label; a copy with swapped labels or lost rows is refused. */
  published: { train: readonly number[]; valid: readonly number[] };
  /** As of {@link HubSource}. */
  seenIn: string;
  /** Turns escapes of the copies back into characters. */
  clean?(text: string): string;
}

/** All of a task's definition but its words. */
export function tweetTask({
  name,
  id,
  files,
  labels,
  published,
  seenIn,
  clean = (text) => text,
}: TweetDataset): Omit<TaskDefinition<Tweet>, "name" | "title" | "prompts"> {
  const byLabel = (counts: readonly number[]) => Object.fromEntries(labels.map((label, i) => [label, counts[i]!]));
  const tweetOf = (text: unknown, number: unknown, place: string): Tweet => {
    const label = labelOf(number, labels);
    if (label !== undefined && typeof text === "string") return { text: clean(text), label };
    const meaning = labels.length > 5 ? "" : ` (${labels.join(", ")})`;
    const expected = `columns text and label, label 0 to ${labels.length - 1}${meaning}`;
    throw damaged(place, expected, JSON.stringify({ text, label: number }));
  };
  const read = (path: string, counts: readonly number[]): Numbered<Tweet>[] => {
    const rows = parseCsv(readText(path), path).map(({ line, row }) => ({
      number: line,
      record: tweetOf(row.text, row.label, `${path}:${line}`),
    }));
    const found = labels.map((label) => rows.filter(({ record }) => record.label === label).length);
    checkCounts(found, counts, () =>
      damaged(
        path,
        `${counts.join(", ")} rows of labels 0 to ${labels.length - 1}, as published`,
        found.join(", "),
        "Fetch the file again; copies with swapped labels are about.",
      ),
    );
    return rows;
  };
  return {
    publication: `zeroshot/${id}, 2022; its validation split is the test`,
    licence: "not stated",
    answer: { kind: "label", field: "label", labels },
    metric: "accuracy",
    unit: "distinct tweet without its links",
    published: { train: byLabel(published.train), test: byLabel(published.valid) },
    example: ({ text, label }) => ({ answer: label, group: groupOfText(text), text }),
    local: {
      files: [`${id}/${files.train}`, `${id}/${files.valid}`],
      read(root, { notes }) {
        const test = read(join(root, id, files.valid), published.valid);
        const all = read(join(root, id, files.train), published.train);
        const held = new Set(test.map(({ record }) => groupOfText(record.text)));
        const train = all.filter(({ record }) => !held.has(groupOfText(record.text)));
        notes.push(
          `${name}: the published validation split (${test.length} tweets) is the test; ${all.length - train.length} of ` +
            `${all.length} training tweets repeat one of its texts but for links and are left out.`,
        );
        return { train, test };
      },
    },
    hub: {
      id: `zeroshot/${id}`,
      splits: { train: "train", test: "validation" },
      columns: ["text", "label"],
      seenIn,
      records: (row, place) => [tweetOf(row.text, row.label, place)],
    },
  };
}
