import { expect, test } from "vitest";
import { readAnswer } from "./read-answer.ts";

test.each([
  ["text", " a b \n", "a b"],
  ["text", " \n", null],
  ["number", "1,234.50", "1234.50"],
  ["number", "1790000000000000001", "1790000000000000001"],
  ["number", "12345678901234567.89 %", "12345678901234567.89%"],
  ["number", "5 and 5.\nThe answer is 10", "10"],
  ["number", "I think it is about $3 million, no?", "about $3 million"],
  ["number", "It fell by 9.37%", "9.37%"],
  ["number", "Yes.", "yes"],
  ["number", "nobody knows", null],
  [
    "spans",
    "person: Ada; city: Rome",
    [
      { type: "person", text: "Ada" },
      { type: "city", text: "Rome" },
    ],
  ],
  ["spans", "none", []],
  ["spans", "Ada and Rome", null],
] as const)("%s from %j", (kind, output, expected) => expect(readAnswer(kind, output)).toEqual(expected));
