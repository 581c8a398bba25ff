import { describe, expect, test } from "vitest";
import { readSettings } from "../../app/settings.ts";
import { SpecError } from "../../base/errors.ts";
import { type HostedOptions, hostedChoice, mustBeAllowed } from "./choice.ts";
import { describeSending, describeSpending } from "./describe.ts";

const KEY = "sk-test-do-not-tell";
const withKey = readSettings({ OPENAI_API_KEY: ` ${KEY}\n`, HOME: "/nowhere" }).openai;
const estimate = { requests: 812, promptTokens: 120_345, maxCompletionTokens: 8120, money: 0.38 };

describe("openai:NAME", () => {
  test("alone is a chat model of OpenAI, with the key of the environment and no consent", () => {
    expect(hostedChoice("openai:gpt-4o", {}, withKey)).toEqual({
      baseUrl: "https://api.openai.com/v1",
      model: "gpt-4o",
      api: "chat",
      apiKey: KEY,
      concurrency: 8,
      budget: {},
      isAllowed: false,
      isPaid: false,
    });
  });

  test("takes its address from the options, else from OPENAI_BASE_URL", () => {
    const env = readSettings({
      OPENAI_BASE_URL: "http://host:8000/v1/",
      OPENAI_ORG_ID: "org",
      HOME: "/nowhere",
    }).openai;
    const fromEnv = hostedChoice("openai:org/model:7b", {}, env);
    expect(fromEnv).toMatchObject({ baseUrl: "http://host:8000/v1", model: "org/model:7b", organisation: "org" });
    expect(fromEnv).not.toHaveProperty("apiKey");
    expect(hostedChoice("openai:m", { baseUrl: "http://127.0.0.1:1/v1" }, env)?.baseUrl).toBe("http://127.0.0.1:1/v1");
  });

  test("takes every option", () => {
    const prices = { inputPerMillion: 2.5, outputPerMillion: 10 };
    const options: HostedOptions = {
      api: "completions",
      isAllowed: true,
      budget: { money: 1.5, requests: 100 },
      prices,
    };
    expect(hostedChoice("openai:m", { ...options, concurrency: 3 }, withKey)).toMatchObject({
      ...options,
      concurrency: 3,
    });
  });

  test.each<[string, HostedOptions, RegExp]>([
    ["no name", {}, /model: expected openai:NAME, got openai:/],
    [
      "money without prices",
      { budget: { money: 5 } },
      /options\.budget\.money: expected the prices that it is counted in/,
    ],
  ])("refuses %s", (what, options, words) => {
    const model = what === "no name" ? "openai:" : "openai:m";
    expect(() => hostedChoice(model, options, withKey)).toThrow(SpecError);
    expect(() => hostedChoice(model, options, withKey)).toThrow(words);
  });

  test("of OpenAI needs a key, others do not", () => {
    const allowed = { isAllowed: true };
    expect(() => hostedChoice("openai:gpt-4o", allowed, {})).toThrow(
      /OPENAI_API_KEY: expected a key for https:\/\/api/,
    );
    expect(hostedChoice("openai:m", { baseUrl: "http://localhost:11434/v1" }, {})).not.toHaveProperty("apiKey");
  });
});

describe("a local model", () => {
  test("is none of ours", () => {
    expect(hostedChoice("mixtune/tiny", { concurrency: 2 }, withKey)).toBeUndefined();
    expect(hostedChoice("./openai:folder", {}, withKey)).toBeUndefined();
  });

  test("has no use for the options of hosted ones", () => {
    expect(() => hostedChoice("mixtune/tiny", { baseUrl: "http://x/v1" }, withKey)).toThrow(
      /options\.baseUrl: expected a hosted model, openai:NAME, got mixtune\/tiny/,
    );
    expect(() => hostedChoice("org/name", { isAllowed: true }, withKey)).toThrow(/options\.isAllowed/);
  });
});

describe("before anything is sent", () => {
  const choice = hostedChoice(
    "openai:gpt-4o",
    { prices: { inputPerMillion: 2.5, outputPerMillion: 10 }, budget: { money: 2 } },
    withKey,
  )!;

  test("rows, host and price are shown, the key is not", () => {
    const text = describeSending(choice, 970, estimate);
    expect(text).toBe(
      [
        "host      https://api.openai.com/v1 (chat), model gpt-4o, with the key in OPENAI_API_KEY",
        "rows      970; 812 requests to send, the rest is answered already",
        "tokens    about 120,345 in (4 characters taken for a token), at most 8,120 out",
        "price     about 0.38 if every answer is as long as it may be, at 2.5 and 10 for a million tokens in and out",
        "limits    at most 2.00 in money, then it stops and can go on",
      ].join("\n"),
    );
  });

  test("a price that is not known is said to be so, and so is a missing limit", () => {
    const free = hostedChoice("openai:m", { baseUrl: "http://localhost:1/v1" }, {})!;
    const text = describeSending(free, 1, { ...estimate, money: Number.NaN });
    expect(text).toMatch(/without a key/);
    expect(text).toMatch(/price {5}not known: give options\.prices/);
    expect(text).toMatch(/limits {4}none \(options\.budget\.money, options\.budget\.requests\)/);
    expect(text).not.toContain("NaN");
  });

  test("it must have been allowed, unless nothing is left to send", () => {
    expect(() => mustBeAllowed(choice, estimate)).toThrow(
      /options\.isAllowed: expected permission to send 812 requests to https:\/\/api\.openai\.com\/v1, got none\.\n {2}Nothing was sent\./,
    );
    expect(() => mustBeAllowed({ ...choice, isAllowed: true }, estimate)).not.toThrow();
    expect(() => mustBeAllowed(choice, { ...estimate, requests: 0 })).not.toThrow();
  });
});

test("what was spent is said in one sentence", () => {
  const spent = {
    requests: 820,
    answers: 812,
    cached: 158,
    prompt_tokens: 100_000,
    completion_tokens: 4000,
    estimated: 3,
  };
  expect(describeSpending({ ...spent, money: 0.29 })).toBe(
    "820 requests sent, 100,000 tokens in and 4,000 out, about 0.29 in money; 158 answers were there already.",
  );
  expect(describeSpending({ ...spent, money: Number.NaN })).not.toContain("NaN");
});
