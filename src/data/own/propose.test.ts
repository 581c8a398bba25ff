import { describe, expect, test } from "vitest";
import { addRow, noFacts } from "./file-facts.ts";
import { type Proposal, proposeTask } from "./propose.ts";

function propose(rows: readonly Record<string, unknown>[]): Proposal | string {
  const facts = noFacts();
  for (const row of rows) addRow(facts, row);
  return proposeTask(facts);
}

const rows = (length: number, row: (i: number) => Record<string, unknown>) => Array.from({ length }, (_, i) => row(i));
const sentence = (i: number) => `This is sentence number ${i} of a small file.`;

describe("labels", () => {
  test("are a column of few values, a usual name first; the text is what is long", () => {
    const proposal = propose(
      rows(21, (i) => ({ id: i, lang: i % 2 ? "en" : "de", text: sentence(i), label: ["b", "a", "c"][i % 3] })),
    );
    expect(proposal).toEqual({
      text: ["text"],
      answer: { kind: "label", field: "label", labels: ["a", "b", "c"], counts: [7, 7, 7] },
      longest: "text",
      remarks: ["id is different in every row and left aside"],
    });
  });

  test("without a usual name are in the column with the fewest values", () => {
    const proposal = propose(rows(20, (i) => ({ body: sentence(i), team: `t${i % 4}`, urgent: i % 2 === 0 })));
    expect(proposal).toMatchObject({ answer: { field: "urgent", labels: ["false", "true"], counts: [10, 10] } });
  });

  test("may be whole numbers, a few: more of them are numbers", () => {
    const stars = (many: number) => propose(rows(200, (i) => ({ review: sentence(i), rating: `${i % many}` })));
    expect(stars(5)).toMatchObject({ answer: { kind: "label", labels: ["0", "1", "2", "3", "4"] } });
    expect(stars(40)).toMatchObject({ answer: { kind: "number", field: "rating" } });
  });
});

describe("other answers need a usual name", () => {
  test("numbers", () => {
    const proposal = propose(rows(12, (i) => ({ question: sentence(i), answer: `${i}.5` })));
    expect(proposal).toMatchObject({ text: ["question"], answer: { kind: "number", field: "answer" } });
  });

  test("texts", () => {
    const proposal = propose(rows(12, (i) => ({ question: sentence(i), answer: `It is ${i}, of course.` })));
    expect(proposal).toMatchObject({ text: ["question"], answer: { kind: "text", field: "answer" } });
  });

  test("but spans, which are known by what they are", () => {
    const marked = rows(6, (i) => ({ text: sentence(i), found: [{ text: "file", type: i % 2 ? "b" : "a" }] }));
    expect(propose(marked)).toMatchObject({ answer: { kind: "spans", field: "found", types: ["a", "b"] } });
    const inCsv = marked.map(({ text, found }) => ({ text, found: JSON.stringify(found) }));
    expect(propose(inCsv)).toMatchObject({ text: ["text"], answer: { kind: "spans", field: "found" } });
  });
});

test("several long columns are all part of the prompt, short ones only where nothing is long", () => {
  const long = rows(12, (i) => ({ title: sentence(i), body: sentence(i + 50), label: `${i % 2}` }));
  expect(propose(long)).toMatchObject({ text: ["title", "body"] });
  expect(propose(rows(12, (i) => ({ word: `w${i}`, n: i, label: `${i % 2}` })))).toMatchObject({ text: ["word"] });
});

test("a column that names customers or documents keeps its rows together, unless every row has its own", () => {
  const per = (number: number) =>
    propose(
      rows(12, (i) => ({
        text: sentence(i),
        label: `${i % 2}`,
        customer_id: `customer ${Math.floor(i / number)} of many`,
      })),
    );
  expect(per(3)).toMatchObject({
    group: { field: "customer_id", reason: expect.stringMatching(/^4 different in 12/) },
  });
  expect(per(3)).toMatchObject({ text: ["text"] });
  expect(per(1)).not.toHaveProperty("group");
});

test("ids that come twice are a group", () => {
  const proposal = propose(rows(12, (i) => ({ id: i % 6, text: sentence(i), label: `${i % 2}` })));
  expect(proposal).toMatchObject({ group: { field: "id" }, text: ["text"], remarks: [] });
});

describe("rows of a known shape", () => {
  test("need neither prompt nor answer", () => {
    const alpaca = propose(rows(8, (i) => ({ instruction: sentence(i), input: "", output: `done ${i}` })));
    expect(alpaca).toMatchObject({ shape: "alpaca", text: [] });
    expect(alpaca).not.toHaveProperty("answer");
    const messages = [{ role: "user", content: "hi" }];
    expect(propose(rows(3, () => ({ messages })))).toMatchObject({ shape: "messages" });
    expect(propose(rows(3, () => ({ conversations: [] })))).toMatchObject({ shape: "sharegpt" });
  });

  test("have labels where their answers are few", () => {
    const proposal = propose(rows(8, (i) => ({ prompt: sentence(i), completion: i % 2 ? "yes" : "no" })));
    expect(proposal).toMatchObject({ shape: "prompt/completion", answer: { kind: "label", labels: ["no", "yes"] } });
  });
});

test("long texts alone are documents, short ones by their column's name", () => {
  expect(propose(rows(3, (i) => ({ body: sentence(i).repeat(10), title: `t${i}` })))).toMatchObject({
    text: [],
    answer: { kind: "document", field: "body" },
  });
  expect(propose(rows(3, (i) => ({ text: sentence(i) })))).toMatchObject({ answer: { kind: "document" } });
});

test("a file without labels or without a text gives a reason", () => {
  expect(propose(rows(5, (i) => ({ note: sentence(i) })))).toMatch(/no column with 2 to 50/);
  expect(propose(rows(6, (i) => ({ label: `${i % 2}` })))).toMatch(/could be the text/);
  expect(propose([])).toMatch(/no column/);
});

test("nested values and names that no prompt can hold are no columns", () => {
  const proposal = propose(
    rows(8, (i) => ({ "": i, "a{b": sentence(i), text: sentence(i), label: `${i % 2}`, meta: {} })),
  );
  expect(proposal).toMatchObject({ text: ["text"], answer: { field: "label" } });
});
