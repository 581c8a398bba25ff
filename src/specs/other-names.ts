/**
 * @file What people call the words of a study file who know them by another name: from LLaMA-Factory, Axolotl, Hugging Face's TrainingArguments, TRL,
 * PEFT, torchtune and OpenAI's fine-tuning, or from everyday speech. Keys that no word of a study file stands for are in import/.
 */

/** By the word of a study file. Names are in lower case, with _ between words. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
  // the file
  models:
    "model base base_model base_models base_model_name_or_path model_name model_name_or_path model_id model_path checkpoint",
  tasks: "dataset datasets task data_sets benchmarks",
  mixers: "mix mixing general_data",
  seeds: "seed random_seed random_state data_seed",
  design: "mixtures experiments combinations",
  controls: "baseline",
  eval: "evaluation evaluate scoring_options",
  train: "training training_args training_arguments train_args trainer hyperparameters sft",
  name: "run_name study_name project title",
  data_root: "dataset_dir data_path datasets_dir",
  // train
  method: "finetuning_type adapter peft peft_type tuner tuner_type peft_method train_type",
  init: "train_from_scratch reinit_weights",
  lora_rank: "rank r lora_r lora_dim adapter_rank",
  lora_alpha: "alpha adapter_alpha",
  lora_dropout: "dropout adapter_dropout",
  lora_target: "target_modules lora_target_modules lora_modules lora_target_linear lora_attn_modules modules",
  use_dora: "dora peft_use_dora",
  learning_rate: "lr rate max_lr peak_lr step_size",
  learning_rate_multiplier: "lr_multiplier",
  num_train_epochs: "epochs epoch num_epochs n_epochs nb_epochs max_epochs train_epochs passes",
  max_steps:
    "steps num_steps max_train_steps num_train_steps total_steps max_steps_per_epoch iterations iters max_iters",
  train_batch_size:
    "batch batch_size bs global_batch_size effective_batch_size mini_batch_size per_device_train_batch_size per_gpu_train_batch_size micro_batch_size gradient_accumulation_steps grad_accum",
  batch_tokens: "tokens_per_batch max_tokens_per_batch batch_size_tokens",
  lr_scheduler_type: "scheduler lr_scheduler lr_schedule schedule scheduler_type",
  warmup_steps: "warmup warmup_ratio num_warmup_steps warm_up lr_warmup_steps",
  decay_steps: "decay num_decay_steps",
  weight_decay: "wd l2",
  adam_beta1: "beta1",
  adam_beta2: "beta2",
  adam_epsilon: "eps epsilon adam_eps",
  max_grad_norm: "grad_clip gradient_clipping gradient_clip_val clip_grad_norm grad_norm clip",
  bf16: "bfloat16 mixed_precision precision torch_dtype dtype fp16",
  load_in_4bit: "quantization_bit qlora load_in_8bit quantize bits",
  cutoff_len:
    "max_length max_len max_seq_length max_seq_len seq_length seq_len sequence_len sequence_length model_max_length context_length ctx_len block_size",
  packing: "sample_packing neat_packing pack packed",
  loss_on:
    "train_on_prompt train_on_inputs train_on_input completion_only_loss assistant_only_loss mask_prompt mask_history",
  eval_steps: "eval_every evaluation_steps eval_interval val_check_interval evals_per_epoch eval_strategy",
  save_steps: "save_every checkpoint_steps save_interval checkpoint_every saves_per_epoch save_strategy",
  early_stopping_patience: "patience early_stopping early_stopping_steps early_stop",
  evaluate: "load_best_model_at_end best_model metric_for_best_model",
  keep: "save_total_limit save_only_model keep_checkpoints",
  // eval
  splits: "split eval_splits",
  max_dev: "max_eval_samples max_val max_validation",
  max_test: "max_test_samples max_predict_samples",
  max_new_tokens: "max_tokens max_length_generation generation_max_new_tokens max_completion_tokens",
  baselines: "baseline compare_with",
  // tasks
  data: "file files path data_files dataset",
  dev: "val valid validation eval eval_file validation_file dev_file",
  test: "test_file test_set",
  prompt: "template instruction input text prompt_template",
  answer: "target output label response completion",
  field: "column key col",
  labels: "label classes categories options choices label_names label_list values",
  kind: "type",
  group: "groups group_by group_field group_id",
  metric: "metrics metric_name",
  max_train: "max_samples max_train_samples limit num_samples n_samples sample_size",
  on_bad_row: "bad_rows on_error skip_bad_rows errors",
  on_overlap: "overlap duplicates dedup deduplicate dataset_exact_deduplication",
  allow_overlap: "allow_leak",
  evaluation_only: "eval_only test_only only_evaluate",
  fit: "truncate truncation truncation_mode excess_length_strategy",
  dose: "ratio share",
  weight: "ratio probability prob interleave_probs sampling_weight share",
  epochs: "repeat num_train_epochs",
  // values
  label: "classification class category categorical",
  number: "regression numeric float int",
  text: "generation free_text generative string",
  spans: "ner entities span",
  document: "pretrain pretraining pt",
  lora: "qlora dora adapter",
  full: "full_finetuning all",
  accuracy: "acc",
  macro_f1: "f1_macro f1 macro",
  weighted_f1: "f1_weighted weighted",
  mcc: "matthews matthews_correlation",
  singles: "alone each",
  "leave-one-out": "loo ablation",
  skip: "ignore drop",
  drop: "skip ignore remove",
};

const NAMES = Object.entries(OTHER_NAMES).map(([word, names]) => [word, new Set(names.split(" "))] as const);

/** The words of a study file that a name stands for. */
export function meaningsOf(name: string): string[] {
  const plain = plainName(name);
  return NAMES.flatMap(([word, names]) => (plain === word || names.has(plain) ? [word] : []));
}

/** learningRate, learning-rate and "Learning rate" are learning_rate. */
function plainName(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[-\s.]+/g, "_")
    .toLowerCase();
}
