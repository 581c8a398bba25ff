/** @file FinNER-CLS: is an entity of a loan agreement a person, an organization or a location (from the corpus of Salinas Alvarado et al. 2015). */

import { join } from "node:path";
import { readText } from "../../formats/files.ts";
import { damaged } from "../readers/damaged.ts";
import { defineTask, type Numbered } from "../readers/definition.ts";
import { runsOf } from "../readers/entity-spans.ts";
import { readJsonLines, textField } from "../readers/json-rows.ts";
import { checkCounts } from "../readers/published.ts";
import { groupOfText } from "../splits/splits.ts";

interface Entity {
  sentence: string;
  entity: string;
  type: string;
}

const LABELS = ["person", "organization", "location"];
const TYPES: Readonly<Record<string, string>> = { "I-PER": "person", "I-ORG": "organization", "I-LOC": "location" };
const FOLDER = "fin-ner-sec-filings";
const FINGPT = "fingpt-format-test-sets/ner_test.jsonl.gz";
/** Spans of person, organization, location and other in each file; a copy with lost or changed rows is refused. */
const PUBLISHED = { "FIN5.txt": [747, 243, 171, 7], "FIN3.txt": [216, 56, 39, 7] };

export const finnerCls = defineTask<Entity>({
  name: "finner-cls",
  title: "person, organization or location: entities of loan agreements",
  publication:
    "Salinas Alvarado, Verspoor and Baldwin 2015, Domain Adaption of Named Entity Recognition; FIN5 train, FIN3 test",
  licence: "CC BY 3.0",
  answer: { kind: "label", field: "type", labels: LABELS },
  metric: "accuracy",
  unit: "sentence with its entities",
  paper: { cap: 5000 },
  prompts: {
    plain: ({ sentence, entity }) => `${sentence}\nIs "${entity}" a person, an organization or a location?`,
    fingpt: ({ sentence, entity }) =>
      `Which type of entity is '${entity}' in the sentence below?\nOptions: person, location, organization\nSentence: ${sentence}\nAnswer:`,
    labels: ({ sentence, entity }) =>
      `${sentence}\nName the type of the entity "${entity}" in this sentence. Answer with one of these words and nothing else: person, organization, location.`,
  },
  example: ({ sentence, type }) => ({ answer: type, group: groupOfText(sentence), text: sentence }),
  // A "sentence" of a contract may be a clause of 600 words; the entity stands in the question too.
  fit: { text: ({ sentence }) => sentence, keep: "start" },
  local: {
    files: [`${FOLDER}/FIN5.txt`, `${FOLDER}/FIN3.txt`, FINGPT],
    read(root, { notes }) {
      const test = readEntities(root, "FIN3.txt", notes);
      const all = readEntities(root, "FIN5.txt", notes);
      const held = new Set(test.map(({ record }) => groupOfText(record.sentence)));
      const train = all.filter(({ record }) => !held.has(groupOfText(record.sentence)));
      notes.push(
        `finner-cls: ${all.length - train.length} train entities stand in a sentence of the test and are left out. Defined roles such as "Borrower" ` +
          "are persons in this corpus, so that a table of entity strings already answers most of the test.",
        compareWithFingpt(join(root, FINGPT), test),
      );
      return { train, test };
    },
  },
  hub: {
    id: "FinGPT/fingpt-ner-cls",
    splits: { train: "train", test: "test" },
    columns: ["instruction", "input", "output"],
    isRepetitive: true, // seventeen wordings, and once for each entity of the sentence
    seenIn: "AI4Finance-Foundation/FinGPT fingpt/FinGPT_Benchmark/data/prepare_data.ipynb",
    records: ({ instruction, input, output }, place) => {
      const entity = /'(.+)'/s.exec(String(instruction))?.[1];
      const type = String(output).trim().toLowerCase();
      if (entity === undefined || typeof input !== "string" || !LABELS.includes(type)) {
        throw damaged(place, "an entity in quotes, its sentence and its type", JSON.stringify({ instruction, output }));
      }
      return [{ sentence: input.trim(), entity, type }];
    },
  },
});

/** Each distinct entity of each sentence, numbered by line of its first token. */
function readEntities(root: string, file: keyof typeof PUBLISHED, notes: string[]): Numbered<Entity>[] {
  const path = join(root, FOLDER, file);
  const rows: Numbered<Entity>[] = [];
  const counts = [0, 0, 0, 0];
  const known = new Set<string>();
  let numSentences = 0;
  let tokens: { token: string; tag: string; line: number }[] = [];
  const endSentence = () => {
    if (tokens.length === 0) return;
    numSentences++;
    const sentence = tokens.map(({ token }) => token).join(" ");
    for (const { from, to, type: tag } of runsOf(tokens.map(({ tag }) => (tag === "O" ? null : tag)))) {
      const type = TYPES[tag] ?? "other";
      const at = LABELS.indexOf(type);
      counts[at < 0 ? 3 : at]!++;
      const entity = tokens
        .slice(from, to)
        .map(({ token }) => token)
        .join(" ");
      const key = `${sentence}\n${entity}`;
      if (at < 0 || known.has(key)) continue;
      known.add(key);
      rows.push({ number: tokens[from]!.line, record: { sentence, entity, type } });
    }
    tokens = [];
  };
  for (const [i, text] of readText(path).split(/\r?\n/).entries()) {
    const [token, , , tag, ...more] = text.split(" ");
    if (text.trim() === "" || token === "-DOCSTART-") endSentence();
    else if (
      token === undefined ||
      tag === undefined ||
      more.length > 0 ||
      !(tag === "O" || tag === "I-MISC" || tag in TYPES)
    ) {
      throw damaged(`${path}:${i + 1}`, "token, part of speech, chunk and tag", text);
    } else tokens.push({ token, tag, line: i + 1 });
  }
  endSentence();
  checkCounts(counts, PUBLISHED[file], () =>
    damaged(path, `${PUBLISHED[file].join(", ")} spans of ${LABELS.join(", ")}, other`, counts.join(", ")),
  );
  const [numPerson, numOrganization, numLocation, numOther] = counts;
  const numMentions = numPerson! + numOrganization! + numLocation!;
  notes.push(
    `finner-cls: ${file}: ${numSentences} sentences, ${numMentions} mentions of a person, organization or location; each entity of a sentence is asked ` +
      `once, which makes ${rows.length} of them (${numMentions - rows.length} repeats). ${numOther} spans of other kinds are left out.`,
  );
  return rows;
}

/** What of the FinGPT form of the test agrees with ours. */
function compareWithFingpt(path: string, test: readonly Numbered<Entity>[]): string {
  const ours = new Map(test.map(({ record }) => [`${record.sentence}\n${record.entity}`, record.type]));
  const theirs = new Map<string, string>();
  const lines = readJsonLines(path);
  for (const { row, place } of lines) {
    const context = textField(row, "context", place);
    const [, entity, sentence] =
      /^Instruction: [^\n]*'([^\n]+)'[^\n]*\n[^\n]*\nInput: ([^\n]*)\nAnswer:$/.exec(context) ?? [];
    if (entity === undefined || sentence === undefined)
      throw damaged(place, "an entity in quotes and its sentence", context);
    theirs.set(`${sentence}\n${entity}`, textField(row, "target", place));
  }
  const same = [...theirs].filter(([key, type]) => ours.get(key) === type).length;
  return (
    `finner-cls: the FinGPT form of the test has ${lines.length} rows, which ask for ${theirs.size} different entities, one a sentence, repeated once for ` +
    `each of the ${ours.size} entities and 17 wordings; ${same} of the ${theirs.size} are here with the same type. Here every entity is asked for itself.`
  );
}
