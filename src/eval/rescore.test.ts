import { describe, expect, test } from "vitest";
import type { Example } from "../data/types.ts";
import type { Scoring } from "../specs/types.ts";
import { rescoreSplit, scoreStored } from "./rescore.ts";
import { type Answered, scoreAnswers } from "./score-answers.ts";

type Task = Parameters<typeof rescoreSplit>[2];

const LABELS: Task = { name: "t", answer: { kind: "label", field: "a", labels: ["Yes", "No"] }, metric: "accuracy" };
const NUMBERS: Task = { name: "t", answer: { kind: "number", field: "a" }, metric: "number_accuracy" };

function example(answer: string, i: number): Example {
  return { id: `test#${i}`, prompt: "?", answer, group: `${i}` };
}

function answer({ id, answer: gold, group }: Example, given: Partial<Answered>): Answered {
  return { id, prompt_digest: "p", gold, group, ...given };
}

describe("judging stored answers again", () => {
  const examples = ["Yes", "No", "No"].map(example);
  const outputs = [" yes", "No, it fell", ""];
  const answers = examples.map((one, i) =>
    answer(one, { output: outputs[i]!, finish_reason: "stop", label_logprobs: { Yes: -1, No: -2 } }),
  );

  test.each<{ scoring: Scoring[] }>([{ scoring: ["constrained", "strict", "lenient"] }, { scoring: ["lenient"] }])(
    "by the readings of then ($scoring) gives what it gave then",
    ({ scoring }) => {
      const first = scoreAnswers(answers, LABELS, scoring);
      expect(rescoreSplit(first.predictions, first.scores, LABELS, examples, "p")).toEqual(first);
    },
  );

  test("takes no label for a text where no text was asked for", () => {
    const silent = examples.map((one) => answer(one, { label_logprobs: { Yes: -1, No: -2 } }));
    const first = scoreAnswers(silent, LABELS, ["constrained"]);
    const again = rescoreSplit(first.predictions, first.scores, LABELS, examples, "p");
    expect(again).toEqual(first);
    expect(again.scores.outputs).toBeUndefined();
  });

  test("uses the scorers and the facts of now, not what is stored", () => {
    const items = ["5", "7"].map(example);
    const first = scoreAnswers(
      items.map((one) => answer(one, { output: one.answer, finish_reason: "stop", answer_logprob: -0.5 })),
      NUMBERS,
      ["strict"],
    );
    const spoilt = first.predictions.map((one) => ({
      ...one,
      parsed: "0",
      scores: { ...one.scores, number_accuracy: 0 },
    }));
    expect(rescoreSplit(spoilt, first.scores, NUMBERS, items, "p")).toEqual(first);
    const facts = { kind: "number", number: { answer: "6" } } as const;
    const now = rescoreSplit(
      spoilt,
      first.scores,
      NUMBERS,
      items.map((one) => ({ ...one, gold: facts })),
      "p",
    );
    expect(now.scores.metrics.number_accuracy?.value).toBe(0);
  });

  test("keeps what judges said of the same answers", () => {
    const first = scoreAnswers(answers, LABELS, ["strict"]);
    const judged = { panel: "p", judges: ["a"] };
    const scoring = { ...first.scores.scoring, judged: { accuracy: { value: 0.5 } } };
    const stored = { ...first.scores, scoring, judged };
    expect(rescoreSplit(first.predictions, stored, LABELS, examples, "p").scores).toEqual(stored);
  });

  test("refuses fewer predictions than were scored, unknown examples and another gold answer", () => {
    const { predictions, scores } = scoreAnswers(answers, LABELS, ["strict"]);
    const again = (given: typeof predictions, of: Example[]) => () => rescoreSplit(given, scores, LABELS, of, "p");
    expect(again(predictions.slice(1), examples)).toThrow(/3 predictions/);
    expect(again(predictions, examples.slice(1))).toThrow(/test#0/);
    expect(again(predictions, [example("No", 0), ...examples.slice(1)])).toThrow(/another in the data/);
  });
});

describe("answers whose scores are lost", () => {
  const examples = ["Yes", "No", "No"].map(example);
  const asked = { scoring: ["constrained", "lenient"] as Scoring[], constrained_numbers: false };
  const given = { output: "No", finish_reason: "stop", label_logprobs: { Yes: -1, No: -2 } } as const;

  test("score what they scored", () => {
    const first = scoreAnswers(
      examples.map((one) => answer(one, given)),
      LABELS,
      asked.scoring,
    );
    expect(scoreStored(first.predictions, LABELS, examples, asked)).toEqual(first);
  });

  test("are not enough where a text is asked for that was not written, or other examples", () => {
    const { label_logprobs } = given;
    const silent = scoreAnswers(
      examples.map((one) => answer(one, { label_logprobs })),
      LABELS,
      ["constrained"],
    ).predictions;
    expect(scoreStored(silent, LABELS, examples, { ...asked, scoring: ["constrained"] })).toBeDefined();
    expect(scoreStored(silent, LABELS, examples, asked)).toBeUndefined();
    expect(scoreStored(silent, LABELS, examples.slice(1), { ...asked, scoring: ["constrained"] })).toBeUndefined();
    const others = ["No", "No", "No"].map(example);
    expect(scoreStored(silent, LABELS, others, { ...asked, scoring: ["constrained"] })).toBeUndefined();
  });
});
