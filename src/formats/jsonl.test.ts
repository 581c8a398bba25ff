import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendLog, formatJsonl, parseJsonl, readLog } from "./jsonl.ts";

const logPath = (): string => join(mkdtempSync(join(tmpdir(), "mixtune-jsonl-")), "log.jsonl");

const numbersIn = (path: string): number[] => readLog(path).map(({ value }) => (value as { n: number }).n);

describe("parseJsonl", () => {
  test("gives values with their lines, over blank lines and Windows line ends", () => {
    expect(parseJsonl('{"a":1}\r\n\n[2]\n', "f")).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 3, value: [2] },
    ]);
  });

  test("names the line that is not JSON", () => {
    expect(() => parseJsonl('{"a":1}\n{"a":\n', "rows.jsonl")).toThrow(/rows\.jsonl:2: expected one JSON value/);
  });

  test("undoes formatJsonl", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const plain = JSON.parse(JSON.stringify(values));
        expect(parseJsonl(formatJsonl(plain), "f").map(({ value }) => value)).toEqual(plain);
      }),
    );
  });
});

test("a number that is not finite is absent, not null", () => {
  expect(formatJsonl([{ a: Number.NaN, b: 0 }])).toBe('{"b":0}\n');
});

describe("a log", () => {
  test("that does not exist is empty", () => expect(readLog(logPath())).toEqual([]));

  test("cut anywhere loses only its last line, and goes on with whole lines", () => {
    const whole = formatJsonl([{ n: 1, text: "é" }, { n: 2 }]);
    const bytes = Buffer.from(whole);
    const firstEnd = bytes.indexOf(10) + 1;
    for (let cut = 0; cut <= bytes.length; cut++) {
      const path = logPath();
      writeFileSync(path, bytes.subarray(0, cut));
      const kept = cut < firstEnd ? [] : cut < bytes.length ? [1] : [1, 2];
      // A cut inside the é leaves bytes that are no UTF-8.
      expect(numbersIn(path)).toEqual(kept);
      appendLog(path, { n: 3 });
      expect(numbersIn(path)).toEqual([...kept, 3]);
    }
  });

  test("read before the next append leaves the torn line out, and still refuses a broken line inside", () => {
    const path = logPath();
    appendLog(path, { n: 1 });
    appendFileSync(path, '{"n":');
    expect(readLog(path)).toEqual([{ line: 1, value: { n: 1 } }]);
    appendFileSync(path, "\n");
    expect(() => readLog(path)).toThrow(/:2: expected one JSON value/);
  });

  test("finds the torn line when it is long", () => {
    const path = logPath();
    writeFileSync(path, `{"n":1}\n"${"x".repeat(10_000)}`);
    appendLog(path, { n: 2 });
    expect(readFileSync(path, "utf8")).toBe('{"n":1}\n{"n":2}\n');
  });
});
