/** @file A model that has been asked already: its answers to one question, as a worker in another language left them. */

import type { PromptTemplate } from "../data/tokens/chat-template.ts";
import type { Tokenizer } from "../data/tokens/tokenizers.ts";
import type { AskedModel } from "../eval/evaluate.ts";
import { textStream } from "../eval/text-stream.ts";
import { openSafetensors } from "../formats/safetensors.ts";

/** What answers are read with. */
export interface AnswerReaders {
  tokenizer: Tokenizer;
  template: PromptTemplate;
  maxPositions: number;
  /** Text that ends an answer, beside the end of a turn. */
  stopStrings: readonly string[];
}

/** How a written answer ended, as `text_stopped` counts them. */
const STOPPED = ["end", "length"] as const;

/**
 * @param path  answers/<task>.<split>.safetensors: label_logprobs [n, labels], gold_logprobs [n] (sums, in nats); text_ids, text_offsets [n + 1],
 *   text_stopped [n] (0: an end token, the last of the ids; 1: at the longest length)
 * @throws {CheckpointError} what is asked for is not in it
 */
export function recordedModel(
  path: string,
  { tokenizer, template, maxPositions, stopStrings }: AnswerReaders,
): AskedModel {
  const file = openSafetensors(path);
  return {
    ...{ tokenizer, template, maxPositions },
    scoreLabels: async (prompts, labels) => {
      const logprobs = file.readNumbers("label_logprobs");
      return prompts.map((_, i) => logprobs.slice(i * labels.length, (i + 1) * labels.length));
    },
    scoreGold: async (examples) => {
      const sums = file.readNumbers("gold_logprobs");
      return sums.map((sum, i) => sum / examples[i]!.answer.length);
    },
    write: async (prompts) => {
      const [ids, offsets, ends] = ["text_ids", "text_offsets", "text_stopped"].map((name) => file.readNumbers(name));
      return prompts.map((_, i) => {
        const isEnded = STOPPED[ends![i]!] === "end";
        const written = ids!.subarray(offsets![i]!, offsets![i + 1]! - (isEnded ? 1 : 0));
        const stopped = isEnded ? "end" : "length";
        // As generate has it: what is not searched for stop strings is read as a whole.
        if (stopStrings.length === 0) return { text: tokenizer.decode(written), stopped };
        const stream = textStream((some) => tokenizer.decode(some), stopStrings);
        const isCut = written.some((id) => stream.push(id).isStopped);
        if (!isCut) stream.finish();
        return { text: stream.text(), stopped: isCut ? "stop" : stopped };
      });
    },
  };
}
