/** @file The plain nouns of a study: what a person asks for, after validation and defaults. Field names are those of the files on disk. */

/** How an answer is read and scored. `document` has no prompt: every token is trained on. */
export type AnswerSpec =
  | { kind: "label"; field: string; labels: string[] }
  | { kind: "text" | "spans"; field: string }
  | {
      kind: "number";
      field: string;
      /** How the files write decimals, as pandas names it: 1.234,5 is 1234.5. Absent: with a point. */
      decimal?: "," | undefined;
    }
  | { kind: "document"; field: string };

/** Metrics of labels. */
export type LabelMetricName = "accuracy" | "weighted_f1" | "macro_f1" | "mcc";
/** Metrics of answers that are generated. */
export type AnswerMetricName =
  | "number_accuracy"
  | "entity_f1"
  | "relation_f1"
  | "exact_match"
  | "token_f1"
  | "rouge_l"
  | "chrf"
  | "instruction_accuracy";
/**
 * Name of a metric that ranks models on a task (metrics.ts). `answer_logprob`, for answers that are no labels: mean over examples of the gold
 * answer's mean log-probability a token, end of turn included, in nats; at most 0, higher is better.
 */
export type MetricName = LabelMetricName | AnswerMetricName | "answer_logprob";

/** A task as written in a study file: a catalogue entry with options, or a person's own files. */
export interface TaskSpec {
  name: string;
  /** Catalogue entry; absent for own data. */
  catalogue?: string;
  /** Cap on training examples per epoch, before any mixture asks for less. */
  max_train?: number;
  /** Catalogue tasks: a folder of datasets in place of data_root. */
  data_dir?: string;
  /** Catalogue tasks: a form of the data, a wording of the prompt; by name. */
  variant?: string;
  prompt_style?: string;
  /** A catalogue task that is scored and never trained on. */
  evaluation_only?: true;
  /** The training texts of these tasks as documents, in place of data of its own. */
  texts_of?: TaskSpec[];
  /** Own data: absolute paths after resolution; `quotes` false where a quote in .csv and .tsv is a character like any other. */
  data?: { train: string; dev?: string; test?: string; quotes?: boolean };
  /** `{field}` is replaced by the row's field. Absent: as the files' own shape says (alpaca, messages and the like). */
  prompt?: string;
  /** Absent: as the files' own shape says. */
  answer?: AnswerSpec;
  /** Own data: the field that is shortened where an example is longer than cutoff_len, and which end of it stays. */
  fit?: { field: string; keep: "start" | "end" };
  /** Field whose equal values must stay in one split. */
  group?: string;
  metric?: MetricName;
  on_bad_row?: "stop" | "skip";
  /** What a training row whose text or group a task of the study holds out does: stop the study where it is held out for test, or be left out. */
  on_overlap?: "stop" | "drop";
  /** With `on_overlap: drop`, the tasks whose dev and test rows are not trained on; a study's (plan.ts, ingredientTasks), written in no file. */
  apart_from?: TaskSpec[];
}

/** Tasks whose `max_train` is another than their own, by name. null: no cap. */
export type Caps = Readonly<Record<string, number | null>>;

/** What reading a file asks the catalogue, by the name of an entry. */
export interface CatalogueFacts {
  /** The amount that `paper` stands for. */
  paper?: { cap: number } | { shareOfCaps: number };
  isEvaluationOnly?: boolean;
}

/** Data that is mixed in but is no target. */
export interface MixerSpec {
  task: string;
  role: "always" | "ingredient";
  /** role always: examples per task example; a list is a factor. */
  dose?: number[];
  /** role ingredient: size as a share of the sum of all task caps. */
  share_of_caps?: number;
  /** The data behind it as a task of the mixer's own name: catalogue entry `task`, or own files. */
  source?: TaskSpec;
}

/** How much of one ingredient a mixture holds per epoch; at most one of weight, max_train, epochs, tokens besides nothing (= all of it). */
export interface Amount {
  /** Share of the epoch, relative to the other weighted ingredients. */
  weight?: number;
  max_train?: number;
  epochs?: number;
  tokens?: number;
}

/** What a run shows of one ingredient, over all its epochs. */
export interface Shown {
  /** Repetitions counted. */
  examples: number;
  distinct_examples: number;
  tokens: number;
  supervised_tokens: number;
}

export interface MixtureSpec {
  /** For people; not part of the run id. */
  name: string;
  ingredients: Record<string, Amount>;
  /** Ingredients whose training answers are dealt out anew among their rows, by the run's seed; sorted. Absent: none. */
  shuffled_labels?: string[];
}

/** What makes a run a control: it stands in the table to be compared with, and is no candidate. */
export type RunControl = "shuffled_labels" | "random_init";

export type LossMean = "token" | "example" | "task";

/** How a run trains. Names are those of Hugging Face and LLaMA-Factory. Defaults in specs/train.ts. */
export interface TrainSpec {
  method: "lora" | "full";
  init: "pretrained" | "random";
  lora_rank: number;
  lora_alpha: number;
  /** "all" linear layers of the blocks, or module names such as q_proj. */
  lora_target: "all" | string[];
  /** Adapters with a magnitude for each output (DoRA, arXiv 2402.09353). Absent: plain LoRA. */
  use_dora?: boolean;
  /** Share of an adapter's input that is left out in training, others of every token, module and step. Absent: nothing. */
  lora_dropout?: number;
  learning_rate: number;
  /** Of hosted fine-tuning alone, where the rate itself is the service's. Absent: the service's too. */
  learning_rate_multiplier?: number;
  num_train_epochs: number;
  /** Overrides num_train_epochs when set. */
  max_steps: number | null;
  /** Tokens in a whole optimiser step; exactly one of batch_tokens and train_batch_size is not null. */
  batch_tokens: number | null;
  train_batch_size: number | null;
  lr_scheduler_type: "cosine" | "linear" | "constant" | "warmup_stable_decay";
  /** Below 1: a share of all steps. */
  warmup_steps: number;
  /** Of warmup_stable_decay: the last steps, down to 0 linearly. Below 1: a share of all steps. */
  decay_steps: number;
  weight_decay: number;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  max_grad_norm: number;
  /** Both passes in bfloat16, what is trained in float32; the PyTorch worker alone. Absent: float32. */
  bf16?: boolean;
  /**
   * The frozen linear layers of the blocks in 4 bits: NF4, its constants quantised too; the PyTorch worker alone. Absent: as they are.
   * @source QLoRA, arXiv 2305.14314
   */
  load_in_4bit?: boolean;
  /** Longest example in tokens. */
  cutoff_len: number;
  packing: "isolated" | "contaminated" | "none";
  /** `answer`: of a conversation the last; `all_answers`: every one that the row allows; `all`: every token. */
  loss_on: "answer" | "all_answers" | "all";
  loss_mean: LossMean;
  eval_steps: number;
  save_steps: number;
  /** Evaluations without improvement before stopping; 0: off. */
  early_stopping_patience: number;
  evaluate: "last" | "best";
  keep: "last" | "best" | "weights" | "none";
}

export type Scoring = "constrained" | "strict" | "lenient";
export type Split = "train" | "dev" | "test";

export interface EvalSpec {
  splits: ("dev" | "test")[];
  max_dev: number | null;
  max_test: number | null;
  /** How labels are read; metrics are those of the first. */
  scoring: Scoring[];
  /** Whether numbers are asked for once more, held to numbers: scored as `own_constrained` (decision 0010). */
  constrained_numbers: boolean;
  /** Of a generated answer. null: a little more than the longest label or the longest training answer. */
  max_new_tokens: number | null;
  /** majority, ngram, hosted models as openai:NAME. */
  baselines: string[];
  keep_prompts: boolean;
}

export interface BudgetSpec {
  match: ("none" | "steps" | "tokens" | "target_examples")[];
  /** Name of the mixture whose count the others are trained to: one of the design, or one that singles, pairs, leave-one-out or all would make. */
  reference: string;
}

export type DesignPart =
  | "singles"
  | "pairs"
  | "leave-one-out"
  | "all"
  | "paper-55"
  | { random: { runs: number; seed: number } }
  | { name: string; tasks: Record<string, Amount>; temperature?: number; shuffled_labels?: true };

/** A study file after validation: defaults filled in, paths absolute. */
export interface StudySpec {
  name: string;
  models: string[];
  data_root?: string;
  tasks: Record<string, TaskSpec>;
  mixers: Record<string, MixerSpec>;
  /** Pairs of ingredients, in either order, of which one may train on what the other tests. Absent: none. */
  allow_overlap?: [string, string][];
  design: DesignPart[];
  /** Of the mixtures that named designs make; a mixture that is written out has its own. Absent: 1, each ingredient by its size. */
  temperature?: number;
  budget: BudgetSpec;
  seeds: number[];
  /** Dotted key (train.learning_rate, tasks.fpb.max_train) to the values it takes. */
  factors: Record<string, unknown[]>;
  controls: string[];
  train: TrainSpec;
  eval: EvalSpec;
}

/** `mixtune train RUN.yaml`: one mixture, one model. */
export interface TrainFileSpec {
  name: string;
  model: string;
  data_root?: string;
  tasks: Record<string, TaskSpec>;
  allow_overlap?: [string, string][];
  mixture: MixtureSpec;
  temperature?: number;
  shuffled_labels?: true;
  train: TrainSpec;
  seed: number;
  eval: EvalSpec;
}

/** What the bytes of a model are. */
export interface ModelIdentity {
  /** As the person wrote it; not part of the run id. */
  name: string;
  /** Digest of config and weights. */
  weights_digest: string;
  tokenizer_digest: string;
  template_digest: string;
}

/** One training with evaluation: the content of spec.json. The run id is the digest of everything here but names and `eval`. */
export interface RunSpec {
  format: 1;
  model: ModelIdentity;
  mixture: MixtureSpec;
  /** Per ingredient: digest of its training rows (rendered prompts and answers in order) and how many there are. */
  data: Record<
    string,
    {
      rows_digest: string;
      num_train: number;
      /** Where dev decides what is kept (best, early stopping). */
      dev_digest?: string;
    }
  >;
  train: TrainSpec;
  seed: number;
  worker: { kind: "local" | "torch" | "hosted"; threads: number };
}
