import { describe, expect, test } from "vitest";
import { parseStudy } from "../specs/study-file.ts";
import { ingredientTasks } from "../study/plan.ts";
import { loadTask } from "./load-task.ts";
import { normalizeText } from "./splits/splits.ts";

const study = (mixer: string) =>
  parseStudy(
    `name: s\nmodels: [m/m]\ntasks: {gen-sentiment: {}, gen-headline: {}}\nmixers: {texts: ${mixer}}\ndesign: [all]\n`,
    "/s.yaml",
    { assignments: [], cwd: "/" },
  );

describe("the texts of tasks as an ingredient", () => {
  test("are the distinct training texts, without any that a task holds out", async () => {
    const specs = ingredientTasks(study("{texts_of: [gen-sentiment, gen-headline]}"));
    const texts = await loadTask(specs.texts!, {});
    const tasks = await Promise.all([loadTask(specs["gen-sentiment"]!, {}), loadTask(specs["gen-headline"]!, {})]);
    const of = (split: "train" | "dev" | "test") =>
      new Set(tasks.flatMap(({ splits }) => splits[split].map(({ text }) => normalizeText(text!))));
    const held = new Set([...of("dev"), ...of("test")]);
    const expected = [...of("train")].filter((text) => !held.has(text));
    expect(texts.splits.train.map(({ answer }) => normalizeText(answer))).toEqual(expected);
    expect(expected.length).toBeGreaterThan(600);
    expect(texts.answer).toEqual({ kind: "document", field: "text" });
    expect(texts.splits.test).toEqual([]);
    expect(texts.splits.train.every(({ prompt }) => prompt === "")).toBe(true);
  });

  test("are refused of a task that the study does not have, beside other data and beside a prompt", () => {
    expect(() => study("{texts_of: [gen-sentimen]}")).toThrow(
      /one of the study's tasks[\s\S]*Did you mean gen-sentiment/,
    );
    expect(() => study("{texts_of: [gen-sentiment], task: gen-general}")).toThrow(/got task and texts_of/);
    expect(() => study('{texts_of: [gen-sentiment], prompt: "{x}"}')).toThrow(/got prompt beside texts_of/);
    expect(() => study("{role: always}")).toThrow(/got none of them/);
  });
});
