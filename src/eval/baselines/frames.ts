/**
 * @file Takes prompts apart into what many of them share (instruction, question) and the text of the one example.
 *
 *   Does the headline talk about the price going up?   <- frame: a line that many prompts have
 *   gold falls as dollar firms                         <- text
 *
 * A bag of n-grams over question + text is a sum, so the question could not change what a word of the text means. One model a frame
 * can. It also keeps the instruction, equal in every prompt, out of the length normalisation.
 */

/** A line is frame where at least this share of the training prompts has it: so there are few frames, and each has rows to learn from. */
const MIN_SHARE = 1 / 50;
/** And at least this many prompts, so that in a small task a repeated text is not taken for an instruction. */
const MIN_ROWS = 20;

/** A prompt taken apart. */
export interface FramedText {
  /** The frame's lines; "" where nothing is shared, or by fewer than 20 prompts. */
  frame: string;
  /** The other lines; the whole prompt where the frame is "" or is all there is. */
  text: string;
}

/**
 * Learns the frames of a task from its training prompts.
 *
 * @returns the splitter for any prompt of the task
 */
export function learnFrames(prompts: readonly string[]): (prompt: string) => FramedText {
  const rows = count(prompts.flatMap((prompt) => [...new Set(prompt.split("\n"))]));
  const enough = Math.max(MIN_ROWS, MIN_SHARE * prompts.length);
  const isFrame = (line: string) => (rows.get(line) ?? 0) >= enough;
  const frameOf = (prompt: string) => prompt.split("\n").filter(isFrame).join("\n");
  const frames = count(prompts.map(frameOf));
  return (prompt) => {
    const frame = frameOf(prompt);
    if ((frames.get(frame) ?? 0) < MIN_ROWS) return { frame: "", text: prompt };
    const text = prompt
      .split("\n")
      .filter((line) => !isFrame(line))
      .join("\n");
    return { frame, text: text.trim() === "" ? prompt : text };
  };
}

function count(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
