/**
 * @file What one generated answer scores, by the kind of its task's answers and what is known of the gold one.
 *
 * | answers | scores of an item |
 * | --- | --- |
 * | number | `number_accuracy` and `own_strict` (the same), `own_lenient`, `official_execution`, `finben`, `adaptllm`, `helm` (number-panel.ts); `own_constrained`, as `own_strict`, where the model also wrote what could be nothing but a number; `program_accuracy` where a program was written; `gold_conflict` where gold has two fields |
 * | spans | `exact_match` (all and no others); counts `tp`, `fp`, `fn` of exact matches, `tp_overlap`, `tp_type` |
 * | text | `exact_match`, `token_f1`, `rouge_l`, `chrf` |
 * | text: a result | `exact_match`, `exact_match_lenient` (result-text.ts), and the others of text |
 * | text: TAT-QA | `exact_match`, `token_f1`, `scale_accuracy`, `gold_conflict` (tat-qa.ts), `rouge_l`, `chrf` |
 * | text: instructions | `prompt_accuracy`, `prompt_accuracy_loose`; counts `checked`, `followed`, `followed_loose` |
 *
 * Besides these each has `format_valid`. What does not apply is absent. score-items.ts makes metrics of them.
 */

import { resultIn } from "../base/result-mark.ts";
import { spansIn, spansText } from "../base/span-text.ts";
import { composed } from "../base/unicode.ts";
import type { Gold, Instruction, NumberGold, ProgramGold } from "../specs/gold.ts";
import { chrf } from "./chrf.ts";
import { type Followed, judgeInstructions } from "./ifeval.ts";
import { equalsGold, isGoldConflict, readNumberStrict } from "./number-answer.ts";
import { judgeNumber } from "./number-panel.ts";
import { scoreProgram } from "./program.ts";
import { readAnswer } from "./read-answer.ts";
import { isSameResult, readResultLenient, readResultStrict } from "./result-text.ts";
import { rougeL } from "./rouge-l.ts";
import type { ItemScores } from "./score-items.ts";
import { type SpanMatch, scoreSpans } from "./spans.ts";
import { isScaleConflict, scoreTatQa } from "./tat-qa.ts";
import { exactMatch, squadNormalise, tokenF1 } from "./text-match.ts";

/** The gold answer of an item; `gold` where its text does not say all. */
export interface GoldAnswer {
  answer: string;
  gold?: Gold;
}

export interface AnswerScore {
  /** What was taken for the answer; null where the output has none. */
  parsed: string | null;
  /** The output has the form that was asked for. */
  isFormatValid: boolean;
  scores: ItemScores;
}

/**
 * Scores one output. Whatever it is, it is scored: an empty one is wrong, never left out.
 * @param constrained  what was written where only a number could be
 */
export function scoreAnswer(
  kind: "number" | "spans" | "text",
  { answer, gold }: GoldAnswer,
  output: string,
  constrained?: string,
): AnswerScore {
  const { parsed, isFormatValid, scores } = scored(kind, answer, gold, output, constrained);
  return { parsed, isFormatValid, scores: { ...scores, format_valid: Number(isFormatValid) } };
}

function scored(
  kind: "number" | "spans" | "text",
  answer: string,
  gold: Gold | undefined,
  output: string,
  constrained: string | undefined,
): AnswerScore {
  if (kind === "spans") return scoreAsSpans(answer, output);
  if (kind === "number") {
    const { number, program } = gold?.kind === "number" ? gold : { number: { answer: resultIn(answer) } };
    return scoreAsNumber(number, program, output, constrained);
  }
  if (gold?.kind === "instructions") return scoreAsInstructed(gold.instructions, output);
  const isResult = gold?.kind === "result";
  const parsed = isResult ? readResultLenient(output) || null : readAnswer("text", output);
  const reference = isResult ? gold.text : answer;
  const scores: Record<string, number> = textScores(parsed ?? "", reference);
  if (isResult) {
    scores.exact_match = Number(isSameResult(readResultStrict(output), reference));
    scores.exact_match_lenient = Math.max(scores.exact_match, Number(isSameResult(parsed ?? "", reference)));
  }
  if (gold?.kind === "tat-qa") {
    const { exactMatch: exact_match, f1: token_f1, scale: scale_accuracy } = scoreTatQa(output, gold.answer);
    const gold_conflict = Number(isScaleConflict(gold.answer));
    Object.assign(scores, { exact_match, token_f1, scale_accuracy, gold_conflict });
  }
  return { parsed, isFormatValid: parsed !== null, scores };
}

function scoreAsNumber(
  gold: NumberGold,
  program: ProgramGold | undefined,
  output: string,
  constrained: string | undefined,
): AnswerScore {
  const verdicts = judgeNumber({ output, gold, ...(program && { program }) });
  const written = program && scoreProgram(output, program);
  const scores: Record<string, number> = { number_accuracy: Number(verdicts.own_strict) };
  for (const [scorer, verdict] of Object.entries(verdicts)) if (verdict !== null) scores[scorer] = Number(verdict);
  if (constrained !== undefined) {
    scores.own_constrained = Number(equalsGold(readNumberStrict(constrained), gold, "strict"));
  }
  if (written && written.program !== null) scores.program_accuracy = Number(written.isProgramRight);
  if (gold.written !== undefined) scores.gold_conflict = Number(isGoldConflict(gold));
  const parsed = written?.program ?? readAnswer("number", output);
  return { parsed, isFormatValid: readNumberStrict(output) !== null, scores };
}

function scoreAsSpans(answer: string, output: string): AnswerScore {
  const item = { gold: spansIn(answer) ?? [], pred: readAnswer("spans", output) };
  const matched = (match: SpanMatch) => scoreSpans([item], match).matched;
  const tp = matched("exact");
  const [fp, fn] = [(item.pred?.length ?? 0) - tp, item.gold.length - tp];
  const scores = {
    exact_match: Number(item.pred !== null && fp === 0 && fn === 0),
    tp,
    fp,
    fn,
    tp_overlap: matched("overlap"),
    tp_type: matched("label"),
  };
  return { parsed: item.pred && spansText(item.pred), isFormatValid: item.pred !== null, scores };
}

/** A gold answer of which the usual preparation leaves nothing (`]`) is compared as it stands: else every such output would match it. */
function textScores(output: string, reference: string): Record<string, number> {
  const isBare = squadNormalise(reference) === "";
  const isSame = Number(composed(output.trim()) === composed(reference.trim()));
  return {
    exact_match: isBare ? isSame : exactMatch(output, reference),
    token_f1: isBare ? isSame : tokenF1(output, reference),
    rouge_l: rougeL(output, reference),
    chrf: chrf(output, reference),
  };
}

function scoreAsInstructed(instructions: readonly Instruction[], output: string): AnswerScore {
  const { strict, loose } = judgeInstructions(instructions, output);
  const count = (verdicts: readonly Followed[]) => verdicts.filter((verdict) => verdict === true).length;
  const scores: Record<string, number> = {
    checked: strict.filter((verdict) => verdict !== null).length,
    followed: count(strict),
    followed_loose: count(loose),
  };
  for (const [name, verdicts] of Object.entries({ prompt_accuracy: strict, prompt_accuracy_loose: loose })) {
    const isKnown = verdicts.includes(false) || !verdicts.includes(null);
    if (isKnown) scores[name] = Number(!verdicts.includes(false));
  }
  const parsed = readAnswer("text", output);
  return { parsed, isFormatValid: parsed !== null, scores };
}
