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

// The regressions: a counter was a group, a code or address stood in the prompt, and 77 labels were free text.
describe("columns that say nothing of the answer", () => {
  const label = (i: number) => ({ text: sentence(i), label: i % 2 ? "b" : "a" });

  test("a counter or a code in every row is left aside, whatever its name", () => {
    const made = rows(30, (i) => ({ 番号: 1000 + i, link: `https://example.org/page/${i}?q=1`, ...label(i) }));
    expect(propose(made)).toMatchObject({
      text: ["text"],
      remarks: ["番号 is different in every row and left aside", "link is different in every row and left aside"],
    });
  });

  test("an id that counts rows, but for a few repeated rows, is no group", () => {
    const proposal = propose(rows(60, (i) => ({ id: i % 58, ...label(i) })));
    expect(proposal).not.toHaveProperty("group");
    expect(proposal).toMatchObject({ text: ["text"] });
  });

  test("a lone column of words is the text all the same", () => {
    const words = "abcdefghijklmnopqrstuvwxyz".split("").map((letter) => `${letter.repeat(9)}word`);
    expect(propose(rows(26, (i) => ({ word: words[i], label: i % 2 ? "b" : "a" })))).toMatchObject({ text: ["word"] });
  });
});

describe("more than 50 labels", () => {
  const many = (numRows: number) =>
    propose(rows(numRows, (i) => ({ utterance: sentence(i), intent: `intent number ${i % 77}` })));

  test("are labels where each comes several times", () => {
    const { answer } = many(600) as Proposal;
    expect(answer).toMatchObject({ kind: "label", field: "intent" });
    expect(answer?.kind === "label" && answer.labels.length).toBe(77);
  });

  test("are free text where they are answers that happen to repeat, which is said", () => {
    expect(many(160)).toMatchObject({
      answer: { kind: "text", field: "intent" },
      remarks: ["intent has 77 different answers in 160 rows and is read as free text, not as labels"],
    });
  });
});

test("codes for labels are said to be codes", () => {
  const { remarks } = propose(rows(30, (i) => ({ text: sentence(i), label: i % 3 }))) as Proposal;
  expect(remarks).toEqual([expect.stringMatching(/^label has codes for labels: say in the prompt/)]);
});

test("numbers with a comma for decimals are read so, unless a point is right for all", () => {
  const numbers = (written: (i: number) => string) =>
    (propose(rows(40, (i) => ({ text: sentence(i), score: written(i) }))) as Proposal).answer;
  expect(numbers((i) => `1.${100 + i},${i}5`)).toEqual({ kind: "number", field: "score", decimal: "," });
  expect(numbers((i) => `${i},5`)).toEqual({ kind: "number", field: "score", decimal: "," });
  expect(numbers((i) => `1,${100 + i}`)).toEqual({ kind: "number", field: "score" });
  expect(numbers((i) => `${i}.5`)).toEqual({ kind: "number", field: "score" });
});

test("ids that come twice are a group", () => {
  const proposal = propose(rows(12, (i) => ({ id: i % 6, text: sentence(i), label: i % 2 ? "b" : "a" })));
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
