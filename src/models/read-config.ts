/** @file Reads numbers and flags out of a config.json with errors that name the file and the key; shared by the families. */

import { CheckpointError } from "../base/errors.ts";

type Json = Readonly<Record<string, unknown>>;

/** A config.json (or an object inside it) that is hostile until each field was read. */
export class ConfigReader {
  readonly place: string;
  private readonly json: Json;

  constructor(json: unknown, place: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new CheckpointError({ place, expected: "a JSON object", got: JSON.stringify(json), remedy: REMEDY });
    }
    this.json = json as Json;
    this.place = place;
  }

  has(key: string): boolean {
    return this.json[key] !== undefined && this.json[key] !== null;
  }

  /** A whole number above 0. */
  count(key: string, fallback?: number): number {
    return this.read(
      key,
      fallback,
      "a whole number above 0",
      (v): v is number => Number.isSafeInteger(v) && (v as number) > 0,
    );
  }

  positive(key: string, fallback?: number): number {
    return this.read(key, fallback, "a number above 0", (v): v is number => Number.isFinite(v) && (v as number) > 0);
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.read(key, fallback, "true or false", (v): v is boolean => typeof v === "boolean");
  }

  text(key: string, fallback?: string): string {
    return this.read(key, fallback, "a text", (v): v is string => typeof v === "string");
  }

  object(key: string): ConfigReader {
    return new ConfigReader(this.json[key], `${this.place}: ${key}`);
  }

  /** Stops when a feature that we do not have is switched on. */
  refuse(key: string, value: unknown): void {
    if (this.json[key] === value) this.unsupported(key);
  }

  /** Stops when a field is there with another value than the one that we have. */
  demand(key: string, value: unknown): void {
    if (this.has(key) && this.json[key] !== value) this.unsupported(key, value);
  }

  unsupported(key: string, value?: unknown): never {
    throw new CheckpointError({
      place: `${this.place}: ${key}`,
      expected: value === undefined ? "a feature that this engine has" : JSON.stringify(value),
      got: JSON.stringify(this.json[key]),
      remedy: "The embedded engine cannot run this model. Choose another one of the family.",
    });
  }

  private read<T>(key: string, fallback: T | undefined, expected: string, is: (value: unknown) => value is T): T {
    const value = this.has(key) ? this.json[key] : fallback;
    if (is(value)) return value;
    const got = value === undefined ? "nothing" : JSON.stringify(value);
    throw new CheckpointError({ place: `${this.place}: ${key}`, expected, got, remedy: REMEDY });
  }
}

const REMEDY = "The folder's config.json is damaged or of another kind of model: fetch the model again.";

/**
 * Inverse frequencies [E / 2] of rotary embeddings: theta^(-2i/E), scaled as `rope_scaling` says.
 * transformers 5 writes `rope_parameters` (with rope_theta inside), earlier ones `rope_scaling` and `rope_theta`.
 *
 * @throws {CheckpointError} a kind of scaling that is not default, linear or llama3
 * @source transformers modeling_rope_utils.py `_compute_llama3_parameters`, `_compute_linear_scaling_rope_parameters`
 */
export function rotaryFrequencies(json: ConfigReader, headDim: number): Float64Array {
  const key = json.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const scaling = json.has(key) ? json.object(key) : undefined;
  const fallback = json.positive("rope_theta", 10_000);
  const theta = scaling?.positive("rope_theta", fallback) ?? fallback;
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  const kind = scaling?.text("rope_type", scaling.text("type", "default")) ?? "default";
  if (scaling === undefined || kind === "default") return plain;
  if (kind === "linear") {
    const factor = scaling.positive("factor");
    return plain.map((frequency) => frequency / factor);
  }
  if (kind !== "llama3")
    return scaling.unsupported(scaling.has("rope_type") ? "rope_type" : "type", "default, linear or llama3");
  const factor = scaling.positive("factor");
  const low = scaling.positive("low_freq_factor");
  const high = scaling.positive("high_freq_factor");
  const original = scaling.positive("original_max_position_embeddings");
  return plain.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI); // full turns within the original context
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}
