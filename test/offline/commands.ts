/** @file A day's commands, each as it is called where there is no network. src/cli/help.test.ts fails for a command that is not listed here. */

/** One call of the command. */
export interface Call {
  words: readonly string[];
  /** What it reads from standard input. */
  input?: string;
  /** It serves: a path that is asked for, and what is posted there. */
  asked?: { path: string; body?: object };
  /** Needs the Python that MIXTUNE_PYTHON names. */
  torch?: true;
}

/** What contacts another host by its nature, as SECURITY.md says: it is not called. */
export const CONTACTS: Readonly<Record<string, string>> = {
  judge: "a hosted service",
  "setup torch": "Python's package index",
};

const calls = (...lines: string[]): Call[] => lines.map((line) => ({ words: line.split(" ") }));
const served = (line: string, path: string, body?: object): Call => ({
  words: [...line.split(" "), "--port", "0", "--json"],
  asked: { path, ...(body && { body }) },
});

/** Calls of each command, in the order of the day: later ones read what earlier ones wrote. */
export const CALLS: Readonly<Record<string, readonly Call[]>> = {
  init: calls("init mine --data tickets.csv"),
  import: calls("import axolotl.yml --out imported.yaml"),
  "tasks list": calls("tasks list"),
  "tasks show": calls("tasks show gen-topic --limit 1"),
  "tasks check": calls("tasks check study.yaml"),
  fetch: calls("fetch study.yaml"),
  plan: calls("plan study.yaml", "plan mine/study.yaml", "plan imported.yaml"),
  run: [
    ...calls("run study.yaml --out out"),
    { words: ["run", "study.yaml", "--out", "out-torch", "--worker", "torch", "design=[all]"], torch: true },
  ],
  demo: calls("demo --out demo seeds=[1] design=[all] train.max_steps=1 eval.max_dev=4 eval.max_test=4"),
  train: calls("train one.yaml"),
  eval: calls("eval mixtune/tiny --tasks study.yaml --out evals/tiny"),
  rescore: calls("rescore evals/tiny"),
  status: calls("status out"),
  report: calls("report out"),
  log: calls("log out --to tensorboard"),
  compare: calls("compare out:all out:gen-topic"),
  recommend: calls("recommend out"),
  predict: calls("predict out:all --task gen-topic --input prompts.jsonl --out answers.jsonl"),
  export: calls(
    ...["hf", "peft", "ollama"].map((kind) => `export out:all --to ${kind} --tasks none --out exports/${kind}`),
    "export out:all --to onnx --max-examples 2 --out exports/onnx",
  ),
  chat: [{ words: ["chat", "out:all", "--max-new-tokens", "4"], input: "What is new?\n/exit\n" }],
  serve: [
    served("serve out:all", "/v1/chat/completions", {
      model: "all",
      max_tokens: 4,
      messages: [{ role: "user", content: "What is new?" }],
    }),
  ],
  ui: [served("ui out", "/")],
  cancel: calls("cancel out"),
  doctor: calls("doctor"),
};
