/** @file How positions become angles: the rotary part of a config.json, and the tables that a network of a given length uses. */

import { CheckpointError } from "../base/errors.ts";
import type { ConfigReader } from "./config-reader.ts";

/** Rotary embeddings of the first r numbers of each head (r = E but for partial ones). */
export interface RotaryConfig {
  /** [r / 2], in radians a position, each a float32 value. */
  inverseFrequencies: Float64Array;
  /** Cosine and sine are multiplied with this; 1 but for longrope. */
  scale: number;
  /** longrope: what networks use whose sequences may outgrow the original context. */
  long: { originalPositions: number; inverseFrequencies: Float64Array } | null;
}

/** Cosines and sines [maxPositions, r / 2], row-major. */
export interface RotaryTables {
  cos: Float32Array;
  sin: Float32Array;
  half: number;
}

/**
 * The tables of a network for sequences of up to `maxPositions`.
 * Angles are rounded to float32 before their cosine is taken, as in transformers and others: models were trained so, and with exact angles the
 * log-probabilities behind a thousand tokens are 1e-4 off (golden eval/label-scores).
 * note: transformers chooses longrope's factors by the longest sequence of a batch, so that one example's logits depend on its neighbours.
 * Here the network's length decides, for training and evaluation alike: the same numbers as transformers gives for every sequence of a run whose
 * cutoff_len stays within the original context, and beyond it as transformers gives for a batch that holds a longer sequence.
 */
export function rotaryTables(rotary: RotaryConfig, maxPositions: number): RotaryTables {
  const { long, scale } = rotary;
  const frequencies =
    long !== null && maxPositions > long.originalPositions ? long.inverseFrequencies : rotary.inverseFrequencies;
  const half = frequencies.length;
  const table = (f: (angle: number) => number) =>
    Float32Array.from(
      { length: maxPositions * half },
      (_, i) => scale * f(Math.fround(Math.floor(i / half) * frequencies[i % half]!)),
    );
  return { cos: table(Math.cos), sin: table(Math.sin), half };
}

/** What a kind of scaling is computed from. */
interface RotarySource {
  json: ConfigReader;
  scaling: ConfigReader;
  /** theta^(-2i/r), rounded to float32. */
  plain: Float64Array;
}

const scaled = (frequencies: Float64Array): RotaryConfig => ({
  inverseFrequencies: frequencies.map(Math.fround),
  scale: 1,
  long: null,
});

/** @source transformers modeling_rope_utils.py _compute_longrope_parameters, configuration_phi3.py */
function longrope({ json, scaling, plain }: RotarySource): RotaryConfig {
  // note: as in Phi3Config config.json's own field counts, not the one inside rope_scaling
  const originalPositions = json.count("original_max_position_embeddings", 4096);
  const factor = scaling.positive("factor", json.count("max_position_embeddings") / originalPositions);
  const paper = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalPositions));
  const divided = (list: string) => {
    const divisors = scaling.positives(list, plain.length);
    return plain.map((frequency, i) => Math.fround(frequency / divisors[i]!));
  };
  return {
    inverseFrequencies: divided("short_factor"),
    scale: scaling.positive("attention_factor", paper),
    long: { originalPositions, inverseFrequencies: divided("long_factor") },
  };
}

/** @source transformers modeling_rope_utils.py ROPE_INIT_FUNCTIONS */
const KINDS = {
  default: ({ plain }) => scaled(plain),
  linear: ({ scaling, plain }) => {
    const factor = scaling.positive("factor");
    return scaled(plain.map((frequency) => frequency / factor));
  },
  llama3: ({ scaling, plain }) => {
    const factor = scaling.positive("factor");
    const low = scaling.positive("low_freq_factor");
    const high = scaling.positive("high_freq_factor");
    const original = scaling.positive("original_max_position_embeddings");
    return scaled(
      plain.map((frequency) => {
        const turns = (original * frequency) / (2 * Math.PI); // full turns within the original context
        if (turns > high) return frequency;
        if (turns < low) return frequency / factor;
        const smooth = (turns - low) / (high - low);
        return ((1 - smooth) * frequency) / factor + smooth * frequency;
      }),
    );
  },
  longrope,
} satisfies Record<string, (source: RotarySource) => RotaryConfig>;

export type RotaryKind = keyof typeof KINDS;

/**
 * Rotary embeddings as a config.json says: theta^(-2i/r), scaled.
 * transformers 5 writes `rope_parameters` (with rope_theta and partial_rotary_factor inside), earlier ones `rope_scaling`, `rope_theta` and
 * `partial_rotary_factor`.
 *
 * @param kinds      kinds of scaling that the family has
 * @param isPartial  whether the family may rotate a part of each head only
 * @throws {CheckpointError} another kind of scaling, or a partial rotation in a family without
 */
export function readRotary(
  json: ConfigReader,
  headDim: number,
  kinds: readonly RotaryKind[] = ["default", "linear", "llama3"],
  isPartial = false,
): RotaryConfig {
  const key = json.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const scaling = json.has(key) ? json.object(key) : json.empty(key);
  const theta = scaling.positive("rope_theta", json.positive("rope_theta", 10_000));
  const part = scaling.positive("partial_rotary_factor", json.positive("partial_rotary_factor", 1));
  const rotated = isPartial ? Math.floor(headDim * part) : headDim;
  if ((part !== 1 && !isPartial) || part > 1 || rotated % 2 !== 0 || rotated === 0) {
    throw new CheckpointError({
      place: `${json.place}: partial_rotary_factor`,
      expected: isPartial ? "a share of each head that is an even number of its numbers" : "1, as this family has it",
      got: `${part} of ${headDim}`,
      remedy: "The embedded engine cannot run this model: choose another.",
    });
  }
  const plain = Float64Array.from({ length: rotated / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / rotated))),
  );
  const named = scaling.text("rope_type", scaling.text("type", "default"));
  const kind = kinds.find((one) => one === named);
  if (kind === undefined)
    return scaling.unsupported(scaling.has("rope_type") ? "rope_type" : "type", `one of ${kinds.join(", ")}`);
  return KINDS[kind]({ json, scaling, plain });
}
