import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { afterComparison, afterExport, nextText, shownDir } from "./next-text.ts";

test("commands are aligned, and a shell reads their words as they are", () => {
  const words = ["run", "my study.yaml", "design=[singles, all]", "name=it's", "studies/x:all@2"];
  const lines = nextText([
    [words, "to train"],
    [["report", "studies/x"], "to look"],
  ]);
  expect(lines[0]).toBe("Next:");
  expect(lines[1]!.indexOf("#")).toBe(lines[2]!.indexOf("#"));
  const command = lines[1]!.slice(0, lines[1]!.indexOf("#")).replace("mixtune", "printf '%s\\n'");
  expect(execFileSync("sh", ["-c", command], { encoding: "utf8" }).trimEnd().split("\n")).toEqual(words);
  expect(nextText([])).toEqual([]);
});

test("an export ends with the program that reads it, a comparison with what tells more", () => {
  const exported = (to: "hf" | "peft" | "gguf" | "ollama") =>
    nextText(afterExport("studies/x:all", { dir: resolve("out"), name: "m", to }))[1]!.replace(/ +#.*/, "");
  expect(exported("hf")).toBe("  mixtune serve ./out");
  expect(exported("peft")).toBe("  mixtune serve studies/x:all");
  expect(exported("gguf")).toBe("  llama-server -m out/model.gguf --jinja");
  expect(exported("ollama")).toBe("  ollama create m -f out/Modelfile");
  const compared = (items: number, study?: string) => afterComparison(["a", "b"], items, study).map(([words]) => words);
  expect(compared(0, resolve("s"))).toEqual([
    ["compare", "a", "b", "--items", "5"],
    ["recommend", "s"],
  ]);
  expect(compared(5)).toEqual([]);
});

test("a folder below is written from here, another from the root", () => {
  expect(shownDir(resolve("studies/x"))).toBe("studies/x");
  expect(shownDir("/elsewhere/x")).toBe("/elsewhere/x");
  expect(shownDir(resolve("."))).toBe(".");
});
