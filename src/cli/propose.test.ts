import { expect, test } from "vitest";
import { proposeTask } from "./propose.ts";

const sentence = (i: number) => `This is sentence number ${i} of a small file.`;

test("the answer is a column of few values, a usual name first; the text is what is long", () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({
    id: i,
    lang: i % 2 ? "en" : "de",
    text: sentence(i),
    label: ["b", "a", "c"][i % 3],
  }));
  expect(proposeTask(rows)).toEqual({ text: ["text"], answer: "label", labels: ["a", "b", "c"] });
});

test("without a usual name the column with the fewest values is the answer", () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ body: sentence(i), team: `t${i % 4}`, urgent: i % 2 === 0 }));
  expect(proposeTask(rows)).toMatchObject({ answer: "urgent", labels: ["false", "true"] });
});

test("several long columns are all part of the prompt, short ones only where nothing is long", () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({
    title: sentence(i),
    body: sentence(i + 50),
    label: `${i % 2}`,
  }));
  expect(proposeTask(rows)).toMatchObject({ text: ["title", "body"] });
  const words = Array.from({ length: 12 }, (_, i) => ({ word: `w${i}`, n: i, label: `${i % 2}` }));
  expect(proposeTask(words)).toMatchObject({ text: ["word"] });
});

test("a column that names customers or documents keeps its rows together, unless every row has its own", () => {
  const rows = (per: number) =>
    Array.from({ length: 12 }, (_, i) => ({
      text: sentence(i),
      label: `${i % 2}`,
      customer_id: `customer ${Math.floor(i / per)} of many`,
    }));
  expect(proposeTask(rows(3))).toMatchObject({ group: "customer_id", text: ["text"] });
  expect(proposeTask(rows(1))).not.toHaveProperty("group");
});

test("a file without labels or without a text gives a reason", () => {
  expect(proposeTask(Array.from({ length: 5 }, (_, i) => ({ text: sentence(i) })))).toMatch(/no column with 2 to 50/);
  expect(proposeTask(Array.from({ length: 6 }, (_, i) => ({ label: `${i % 2}` })))).toMatch(/could be the text/);
});

test("nested values are no columns", () => {
  const rows = Array.from({ length: 8 }, (_, i) => ({ text: sentence(i), label: `${i % 2}`, meta: { a: 1 } }));
  expect(proposeTask(rows)).toEqual({ text: ["text"], answer: "label", labels: ["0", "1"] });
});
