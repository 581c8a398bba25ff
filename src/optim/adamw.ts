/** @file AdamW (arXiv 1711.05101) over a flat vector, as an update graph, with gradient accumulation and global-norm clipping beside it. */

import { Graph } from "../engine/graph/graph.ts";
import type { Value } from "../engine/graph/values.ts";
import { Session, type SessionOptions } from "../engine/runtime/session.ts";
import type { TrainSpec } from "../specs/types.ts";

export type AdamConfig = Pick<
  TrainSpec,
  "adam_beta1" | "adam_beta2" | "adam_epsilon" | "weight_decay" | "max_grad_norm"
>;

/** Elements updated at a time: the dozen element-wise operations of an update then find their operands in the processor's cache. */
const BLOCK = 1 << 17;

/** Parameters and moments, flat; the first `decaySize` elements decay. */
export interface AdamState {
  parameters: Float32Array;
  expAvg: Float32Array;
  expAvgSq: Float32Array;
  decaySize: number;
}

export function newAdamState(size: number, decaySize: number): AdamState {
  return {
    parameters: new Float32Array(size),
    expAvg: new Float32Array(size),
    expAvgSq: new Float32Array(size),
    decaySize,
  };
}

/** Owns the update sessions of one configuration; vectors of any length go through them. */
export class AdamW {
  private readonly config: AdamConfig;
  private readonly update: Session;
  private readonly accumulation: Session;

  private constructor(config: AdamConfig, update: Session, accumulation: Session) {
    this.config = config;
    this.update = update;
    this.accumulation = accumulation;
  }

  static async create(config: AdamConfig, options: SessionOptions): Promise<AdamW> {
    const sessions = [updateGraph(config), additionGraph()].map((graph) => Session.create(graph, options));
    const [update, accumulation] = await Promise.all(sessions);
    return new AdamW(config, update!, accumulation!);
  }

  /** total += part, in place. */
  async accumulate(total: Float32Array, part: Float32Array): Promise<void> {
    // note: one element-wise node, so that reading and writing the same buffer is safe
    await this.accumulation.run({ total, part }, { N: total.length }, { sum: total });
  }

  /**
   * Euclidean norm of the gradient.
   * note: squares are added up in float64. A float32 sum of 5e8 of them is 10 % too small. Four sums at a time keep the processor busy.
   */
  norm(gradient: Float32Array): number {
    let [a, b, c, d] = [0, 0, 0, 0];
    const whole = gradient.length - (gradient.length % 4);
    for (let i = 0; i < whole; i += 4) {
      a += gradient[i]! * gradient[i]!;
      b += gradient[i + 1]! * gradient[i + 1]!;
      c += gradient[i + 2]! * gradient[i + 2]!;
      d += gradient[i + 3]! * gradient[i + 3]!;
    }
    for (let i = whole; i < gradient.length; i++) a += gradient[i]! * gradient[i]!;
    return Math.sqrt(a + b + c + d);
  }

  /**
   * One step, in place on the state.
   *
   * @param step  number of this update, from 1 (bias correction)
   * @param norm  of the gradient; above `max_grad_norm` (when that is above 0) the gradient is scaled down to it
   * @source torch.optim.AdamW; torch.nn.utils.clip_grad_norm_ (factor max_norm / (norm + 1e-6), at most 1)
   */
  async step(
    state: AdamState,
    gradient: Float32Array,
    step: number,
    learningRate: number,
    norm: number,
  ): Promise<void> {
    const { adam_beta1, adam_beta2, weight_decay, max_grad_norm } = this.config;
    const clip = max_grad_norm > 0 ? Math.min(1, max_grad_norm / (norm + 1e-6)) : 1;
    const stepSize = learningRate / (1 - adam_beta1 ** step);
    const inverseRootCorrection = 1 / Math.sqrt(1 - adam_beta2 ** step);
    const scalars = { clip, step_size: stepSize, inverse_root_correction: inverseRootCorrection };
    const shrink = 1 - learningRate * weight_decay;
    for (const [from, to, factor] of [
      [0, state.decaySize, shrink],
      [state.decaySize, state.parameters.length, 1],
    ] as const) {
      const feeds = Object.fromEntries(
        Object.entries({ ...scalars, shrink: factor }).map(([name, x]) => [name, Float32Array.of(x)]),
      );
      for (let start = from; start < to; start += BLOCK) {
        const end = Math.min(start + BLOCK, to);
        const p = state.parameters.subarray(start, end);
        const m = state.expAvg.subarray(start, end);
        const v = state.expAvgSq.subarray(start, end);
        // note: each of p, m, v has one reader, upstream of its writer, so the new values may be written over the old
        const into = { p_new: p, m_new: m, v_new: v };
        await this.update.run({ ...feeds, p, m, v, g: gradient.subarray(start, end) }, { N: end - start }, into);
      }
    }
  }

  async release(): Promise<void> {
    await Promise.all([this.update.release(), this.accumulation.release()]);
  }
}

/** m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g^2; p' = shrink p - step_size m' / (sqrt(v') * inverse_root_correction + eps) */
function updateGraph({ adam_beta1: b1, adam_beta2: b2, adam_epsilon: epsilon }: AdamConfig): Graph {
  const graph = new Graph();
  const [p, m, v, rawGradient] = ["p", "m", "v", "g"].map((name) => graph.input(name, "float32", ["N"])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const scalar = (name: string) => graph.input(name, "float32", []);
  const [clip, stepSize, correction, shrink] = ["clip", "step_size", "inverse_root_correction", "shrink"].map(
    scalar,
  ) as [Value, Value, Value, Value];
  const mul = (a: Value, b: Value) => graph.add("mul", [a, b], {});
  const add = (a: Value, b: Value) => graph.add("add", [a, b], {});
  const g = mul(rawGradient, clip);
  const mNew = add(mul(m, graph.scalar(b1)), mul(g, graph.scalar(1 - b1)));
  const vNew = add(mul(v, graph.scalar(b2)), mul(mul(g, g), graph.scalar(1 - b2)));
  const denominator = add(mul(graph.add("sqrt", [vNew], {}), correction), graph.scalar(epsilon));
  const move = mul(graph.add("div", [mNew, denominator], {}), stepSize);
  graph.output("p_new", graph.add("sub", [mul(p, shrink), move], {}));
  graph.output("m_new", mNew);
  graph.output("v_new", vNew);
  return graph;
}

function additionGraph(): Graph {
  const graph = new Graph();
  const [total, part] = ["total", "part"].map((name) => graph.input(name, "float32", ["N"])) as [Value, Value];
  graph.output("sum", graph.add("add", [total, part], {}));
  return graph;
}
