/** @file Lets a process of its own run our sources as they are: node --import ./test/support/run-typescript.js FILE.ts */

import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import ts from "typescript";

// Node reads this file twice: here to register it, and in the thread where hooks live.
if (isMainThread) register(import.meta.url);

/** Node's load hook. */
export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(readFileSync(fileURLToPath(url), "utf8"), { compilerOptions: options });
  return { format: "module", source: outputText, shortCircuit: true };
}
