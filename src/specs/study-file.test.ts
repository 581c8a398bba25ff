import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { SpecError } from "../base/errors.ts";
import { OTHER_NAMES } from "./other-names.ts";
import { studyFileSchema } from "./schema.ts";
import { parseStudy } from "./study-file.ts";
import { TRAIN_DEFAULTS } from "./train.ts";
import { parseTrainFile } from "./train-file.ts";
import type { StudySpec } from "./types.ts";

const MINIMAL = `name: s
models: [mixtune/tiny]
tasks:
  fpb: {}
  headline: {max_train: 10}
design: [singles]
`;

function parse(text: string, assignments: string[] = []): StudySpec {
  return parseStudy(text, "/here/study.yaml", { assignments, cwd: "/cwd" });
}

function refusal(text: string, assignments: string[] = []): SpecError {
  try {
    parse(text, assignments);
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a study file", () => {
  test("gets defaults for all that it does not say", () => {
    const study = parse(MINIMAL);
    expect(study.train).toEqual(TRAIN_DEFAULTS);
    expect(study).toMatchObject({
      seeds: [1],
      controls: ["base"],
      budget: { match: ["none"], reference: "all" },
      mixers: {},
      eval: {
        splits: ["dev", "test"],
        max_dev: 1000,
        max_test: null,
        scoring: ["constrained", "strict", "lenient"],
        baselines: ["majority", "ngram"],
      },
    });
    expect(study.tasks.headline).toEqual({ name: "headline", catalogue: "headline", max_train: 10 });
  });

  test("takes paths relative to itself, and paths on the command line relative to the current directory", () => {
    const own = `${MINIMAL}data_root: ../data\n`.replace(
      "fpb: {}",
      "mine: {data: {train: a.csv}, prompt: '{x}', answer: {kind: label, field: y, labels: [a, b]}}",
    );
    const study = parse(own);
    expect(study.data_root).toBe("/data");
    expect(study.tasks.mine?.data).toEqual({ train: "/here/a.csv" });
    expect(parse(own, ["data_root=other"]).data_root).toBe("/cwd/other");
    expect(parse(own, ["tasks.mine.data.train=b.csv"]).tasks.mine?.data?.train).toBe("/cwd/b.csv");
    expect(parse(own, ["models=[./m, /n, org/hub]"]).models).toEqual(["/cwd/m", "/n", "org/hub"]);
  });

  test("says where an unknown key stands and which one was meant", () => {
    const error = refusal(`${MINIMAL}train:\n  learning_rat: 1.0\n`);
    expect(error.place).toBe("/here/study.yaml:8:17: train.learning_rat");
    expect(error.got).toBe("learning_rat");
    expect(error.remedy).toBe("Did you mean learning_rate?");
  });

  // The regression: epochs gave a list of 31 names, batch_size batch_tokens, lora_dropout lora_rank.
  test.each([
    ["train: {lr: 1}", "Did you mean learning_rate?"],
    ["train: {batch_size: 8}", "Did you mean train_batch_size?"],
    ["train: {perDeviceTrainBatchSize: 8}", "Did you mean train_batch_size?"],
    ["train: {epochs: 3}", "Did you mean num_train_epochs?"],
    ["train: {dropout: 0.1}", "Did you mean lora_dropout?"],
    ["train: {target_modules: all}", "Did you mean lora_target?"],
    ["train: {max_seq_length: 99}", "Did you mean cutoff_len?"],
    ["train: {adamw_beta: 0.9}", "Did you mean adam_beta1?"],
    ["epochs: 3", "Write it as train.num_train_epochs."],
    ["learning_rate: 1", "Write it as train.learning_rate."],
    ["max_new_tokens: 8", "Write it as eval.max_new_tokens."],
    ["group: id", "Write it as tasks.NAME.group."],
    ["base_model: x", "Did you mean models?"],
    [
      "train: {gradient_checkpointing: true}",
      "Remove it. LLaMA-Factory has this key (speed and memory of the machine that trains); a study has no such setting.",
    ],
    ["train: {optim: adamw_torch}", "Of LLaMA-Factory this key becomes: AdamW, mixtune's only optimiser."],
    ["train: {wombat: 1}", /^Known here: method, init(, \w+){10} and \d+ more\.$/],
  ] as const)("knows %s by its meaning", (written, remedy) => {
    expect(refusal(`${MINIMAL}\n${written}\n`).remedy).toMatch(remedy);
  });

  test("has every word that other names stand for", () => {
    const schema = JSON.stringify(z.toJSONSchema(studyFileSchema));
    expect(Object.keys(OTHER_NAMES).filter((word) => !schema.includes(`"${word}"`))).toEqual([]);
  });

  test("names the nearest key inside tasks, answers and designs too", () => {
    expect(refusal(MINIMAL.replace("max_train", "maxtrain")).remedy).toBe("Did you mean max_train?");
    const answer = MINIMAL.replace(
      "fpb: {}",
      "fpb: {data: {train: a}, prompt: '{x}', answer: {kind: label, field: y, label: [a, b], labels: [a, b]}}",
    );
    expect(refusal(answer).remedy).toBe("Did you mean labels?");
    expect(refusal(MINIMAL.replace("[singles]", "[{name: a, tasks: {fpb: {maxtrain: 3}}}]")).remedy).toBe(
      "Did you mean max_train?",
    );
  });

  test.each([
    ["a word where a number belongs", "train: {learning_rate: fast}", "a number", '"fast"'],
    ["a number out of range", "train: {learning_rate: -1}", "more than 0", "-1"],
    ["a fraction where a count belongs", "train: {lora_rank: 2.5}", "a whole number", "2.5"],
    ["a choice that there is not", "train: {method: lore}", "one of lora, full", '"lore"'],
    ["an empty list", "seeds: []", "at least 1 entry", "[]"],
    ["one seed twice", "seeds: [3, 3]", "different seeds", "3 twice"],
    [
      "both batch sizes",
      "train: {batch_tokens: 100, train_batch_size: 4}",
      "exactly one of batch_tokens and train_batch_size",
      "both",
    ],
    ["no batch size", "train: {batch_tokens: null}", "exactly one of batch_tokens and train_batch_size", "neither"],
    [
      "to keep other weights than those that are scored",
      "train: {evaluate: best, keep: last}",
      "the weights that train.evaluate: best scores to be kept",
      "keep: last",
    ],
    [
      "magnitudes beside weights that all train",
      "train: {method: full, use_dora: true}",
      "method: lora with it",
      "method: full",
    ],
    ["a factor that is no train key", "factors: {eval.max_dev: [1]}", "a known name", '"eval.max_dev"'],
    ["a factor's value of the wrong type", "factors: {train.learning_rate: [1, x]}", "a number", '"x"'],
    [
      "a hosted baseline without a name",
      "eval: {baselines: ['openai:']}",
      "one of majority, ngram, openai:NAME",
      '"openai:"',
    ],
    [
      "a hosted baseline without the reading that its table compares",
      "eval: {scoring: [constrained, lenient], baselines: ['openai:x']}",
      "strict too: a hosted model gives no log-probability of a label, so the whole table is strict",
      "constrained, lenient",
    ],
    ["an unknown control", "controls: [shuffled]", "one of base, few_shot, shuffled_labels, random_init", '"shuffled"'],
    [
      "a control with a number that it has not",
      "controls: ['shuffled_labels:3']",
      "one of shuffled_labels",
      '"shuffled_labels:3"',
    ],
    [
      "random weights as a control of random weights",
      "controls: [random_init]\ntrain: {init: random}",
      "train.init: pretrained, which random_init is a control of",
      "train.init: random",
    ],
    ["shots that are no count", "controls: ['few_shot:0']", "few_shot:K with K from 1 to 99", "few_shot:0"],
    ["a temperature below 1", "temperature: 0.5", "at least 1", "0.5"],
    [
      "a mixer without data",
      "mixers: {general: {dose: 1}}",
      "one of task (of the catalogue), data (your files) and texts_of (tasks of this study)",
      "none of them",
    ],
    [
      "a dose of an ingredient",
      "mixers: {general: {task: x, role: ingredient, dose: 1}}",
      "share_of_caps for role ingredient",
      "dose",
    ],
    ["a mixer named like a task", "mixers: {fpb: {task: x}}", "a name that no task has", "fpb"],
  ])("refuses %s", (_, line, expected, got) => {
    const error = refusal(`${MINIMAL}${line}\n`);
    expect(error.place).toMatch(/^\/here\/study\.yaml:7:\d+/);
    expect([error.expected, error.got]).toEqual([expected, got]);
    expect(error.remedy).not.toBe("");
  });

  test("fills in a design's seed, and keeps temperatures and budgets as they are written", () => {
    const study = parse(
      MINIMAL.replace("[singles]", "[all, {random: {runs: 4}}, {name: a, tasks: {fpb: {}}, temperature: 2}]").concat(
        "temperature: 1.5\nbudget: {match: [tokens, target_examples], reference: fpb}\n",
      ),
    );
    expect(study.design).toEqual([
      "all",
      { random: { runs: 4, seed: 1 } },
      { name: "a", tasks: { fpb: {} }, temperature: 2 },
    ]);
    expect(study.temperature).toBe(1.5);
    expect(study.budget).toEqual({ match: ["tokens", "target_examples"], reference: "fpb" });
  });

  test("refuses names that could not be file names", () => {
    expect(refusal(MINIMAL.replace("fpb:", "../fpb:")).expected).toContain("lower-case letters");
    expect(refusal(MINIMAL.replace("name: s", "name: Study")).got).toBe('"Study"');
  });

  test("refuses a mixture of unknown or no ingredients, or with two amounts", () => {
    const design = (tasks: string) => MINIMAL.replace("[singles]", `[{name: a, tasks: ${tasks}}]`);
    expect(refusal(design("{fbp: {}}")).remedy).toBe("Did you mean fpb?");
    expect(refusal(design("{}")).got).toBe("an empty mixture");
    expect(refusal(design("{fpb: {max_train: 1, epochs: 2}}")).got).toBe("max_train and epochs");
  });

  test("refuses own data with a prompt that names no field, with one label twice, with keys of the catalogue", () => {
    const own = (rest: string) => MINIMAL.replace("fpb: {}", `fpb: {data: {train: a.csv}, ${rest}}`);
    expect(refusal(own("prompt: hello, answer: {kind: label, field: y, labels: [a, b]}")).expected).toContain(
      "names a field",
    );
    expect(refusal(own("prompt: '{x}', answer: {kind: label, field: y, labels: [a, a]}")).got).toBe("a twice");
    expect(refusal(own("variant: large")).expected).toBe("variant for catalogue tasks only");
    expect(refusal(own("data_dir: d")).got).toBe("data_dir beside data");
    expect(refusal(MINIMAL.replace("fpb: {}", "fpb: {prompt: '{x}'}")).expected).toBe("data beside prompt");
    expect(refusal(MINIMAL.replace("fpb: {}", "fpb: {fit: {field: x, keep: end}}")).expected).toBe("data beside fit");
  });

  test("takes files without prompt and answer as they are, a field to shorten, and a catalogue task's forms", () => {
    const text = MINIMAL.replace(
      "fpb: {}",
      [
        "mine: {data: {train: a.jsonl}}",
        "long: {data: {train: b.jsonl}, prompt: '{c}', fit: {field: c, keep: end}}",
        "fpb: {variant: allagree, prompt_style: short}",
      ].join("\n  "),
    );
    expect(parse(text).tasks).toMatchObject({
      mine: { name: "mine", data: { train: "/here/a.jsonl" } },
      long: { prompt: "{c}", fit: { field: "c", keep: "end" } },
      fpb: { catalogue: "fpb", variant: "allagree", prompt_style: "short" },
    });
  });

  describe("with amounts of the paper", () => {
    const catalogue = { fpb: { paper: { cap: 5000 } }, "orca-math": { paper: { shareOfCaps: 0.5 } } };
    const read = (text: string, assignments: string[] = []) =>
      parseStudy(text, "/here/study.yaml", { assignments, cwd: "/cwd" }, catalogue);
    const mixers = "mixers: {math: {task: orca-math, role: ingredient, share_of_caps: paper}}\n";

    test("takes them from the catalogue", () => {
      const study = read(MINIMAL.replace("fpb: {}", "fpb: {max_train: paper}") + mixers);
      expect(study.tasks.fpb?.max_train).toBe(5000);
      expect(study.mixers.math?.share_of_caps).toBe(0.5);
      expect(read(MINIMAL, ["tasks.fpb.max_train=paper"]).tasks.fpb?.max_train).toBe(5000);
    });

    test.each([
      [
        "a task that it does not have",
        MINIMAL.replace("max_train: 10", "max_train: paper"),
        /no max_train for headline/,
      ],
      ["own data", MINIMAL.replace("fpb: {}", "fpb: {data: {train: a}, max_train: paper}"), /no max_train for fpb/],
      ["a share where it has a cap", MINIMAL + mixers.replace("orca-math", "fpb"), /no share_of_caps for fpb/],
    ])("refuses them for %s", (_, text, message) => {
      expect(() => read(text)).toThrow(message);
      expect(() => read(text)).toThrow(/^\/here\/study\.yaml:\d+:\d+/);
    });

    test("refuses other words", () => {
      expect(refusal(MINIMAL.replace("max_train: 10", "max_train: most")).expected).toBe(
        "a whole number above 0, or paper",
      );
    });
  });

  test("asks for quotes where YAML reads a label as a number", () => {
    const text = MINIMAL.replace(
      "fpb: {}",
      "fpb: {data: {train: a}, prompt: '{x}', answer: {kind: label, field: y, labels: [1, 2]}}",
    );
    expect(refusal(text).remedy).toBe('Put it in quotes: "1".');
  });

  test("refuses what is no YAML, with line and column", () => {
    expect(refusal("name: s\ndesign: [singles\n").place).toMatch(/^\/here\/study\.yaml:\d+:\d+$/);
    expect(refusal("name: s\nname: t\n").got).toContain("unique");
  });

  test("refuses aliases that would blow up", () => {
    const levels = [
      "a: &a [x, x, x, x, x, x, x, x, x]",
      ..."bcdefgh".split("").map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}]`),
    ];
    expect(refusal(levels.join("\n")).expected).toBe("few YAML aliases");
  });
});

describe("overrides", () => {
  test("are YAML and replace what the file says, also keys it does not have", () => {
    const study = parse(MINIMAL, [
      "train.learning_rate=1e-4",
      "seeds=[4, 5]",
      "tasks.headline.max_train=7",
      "train.max_steps=3",
    ]);
    expect(study.train.learning_rate).toBe(1e-4);
    expect(study.train.max_steps).toBe(3);
    expect(study.seeds).toEqual([4, 5]);
    expect(study.tasks.headline?.max_train).toBe(7);
  });

  test("are named in what they break", () => {
    expect(refusal(MINIMAL, ["train.learning_rate=fast"]).place).toBe(
      "command line train.learning_rate=fast: train.learning_rate",
    );
    expect(refusal(MINIMAL, ["name.x=1"]).expected).toBe("a mapping that holds x");
    expect(refusal(MINIMAL, ["train=[1"]).expected).toBe("a YAML value");
  });

  test("cannot reach an object's prototype", () => {
    expect(refusal(MINIMAL, ["__proto__.polluted=1"]).got).toBe("__proto__.polluted");
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("set any number that the file could", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 9, noNaN: true }), (rate) => {
        expect(parse(MINIMAL, [`train.learning_rate=${rate}`]).train.learning_rate).toBe(rate);
      }),
    );
  });
});

describe("a train block", () => {
  test("takes train_batch_size in place of the default batch_tokens, and a smaller step for full fine-tuning", () => {
    const { train } = parse(`${MINIMAL}train: {train_batch_size: 8, method: full}\n`);
    expect([train.batch_tokens, train.train_batch_size, train.learning_rate]).toEqual([null, 8, 5e-5]);
  });

  test("keeps the weights that it evaluates", () => {
    expect(parse(`${MINIMAL}train: {evaluate: best}\n`).train.keep).toBe("best");
    expect(parse(`${MINIMAL}train: {evaluate: best, keep: none}\n`).train.keep).toBe("none");
  });
});

describe("a run file", () => {
  const text = `model: ./m
tasks:
  book: {data: {train: b.jsonl}, answer: {kind: document, field: text}}
mixture: {book: {}, fpb: {max_train: 5}}
`;
  const run = (source: string) => parseTrainFile(source, "/here/My Run.yaml", { assignments: [], cwd: "/cwd" });

  test("mixes own and catalogue tasks and is named after its file", () => {
    const file = run(text);
    expect(file.name).toBe("my-run");
    expect(file.model).toBe("/here/m");
    expect(file.mixture).toEqual({ name: "my-run", ingredients: { book: {}, fpb: { max_train: 5 } } });
    expect(Object.keys(file.tasks).sort()).toEqual(["book", "fpb"]);
    expect(file.tasks.fpb).toEqual({ name: "fpb", catalogue: "fpb" });
  });

  test("refuses a document with a prompt, and an empty mixture", () => {
    expect(() => run(text.replace("answer: {kind", "prompt: '{x}', answer: {kind"))).toThrow(
      /no prompt for kind document/,
    );
    expect(() => run("model: ./m\nmixture: {}\n")).toThrow(/an empty mixture/);
  });
});
