/** @file What a trivial baseline takes and gives: texts and answers in, a label with log-probabilities out, as the models it stands beside. */

/** The part of an example that a baseline reads; a loaded task's examples fit as they are. */
export interface LabelledText {
  prompt: string;
  answer: string;
}

/** One prediction. */
export interface BaselinePrediction {
  /** The most probable label. */
  label: string;
  /** Natural logarithms that sum to one in probability. A label that training never showed is absent. */
  logprobs: Record<string, number>;
}

/** A fitted baseline. */
export interface Baseline {
  predict(prompts: readonly string[]): BaselinePrediction[];
}
