/** @file A graph made ready to run by ONNX Runtime: run in float32 on the CPU. */

import type * as Ort from "onnxruntime-node";
import type { Graph } from "../graph/graph.ts";
import { type Bindings, boundDim, type Value } from "../graph/values.ts";
import { lower } from "./lower.ts";
import { ort } from "./onnxruntime.ts";

/** How a session computes. All of it belongs to a run's numerics. */
export interface SessionOptions {
  /** Threads within an operator. The bits of a result depend on it. */
  threads: number;
  /** Folder of the files that constants lie in; they are mapped, not copied. */
  weightFolder?: string;
  /** Whether constant weights are rearranged once for faster products, at the price of a copy. */
  prepack?: boolean;
  /** Writes a profile (JSON, Chrome trace) with this file prefix. */
  profilePrefix?: string;
}

export type TensorData = Float32Array | BigInt64Array;

let numLiveSessions = 0;

/** Sessions made and not yet released; tests demand 0 at their end. */
export function liveSessions(): number {
  return numLiveSessions;
}

/** Owns one ONNX Runtime session. Release it when done. */
export class Session {
  private readonly graph: Graph;
  private readonly dims: readonly string[];
  private readonly session: Ort.InferenceSession;

  private constructor(graph: Graph, dims: readonly string[], session: Ort.InferenceSession) {
    this.graph = graph;
    this.dims = dims;
    this.session = session;
  }

  static async create(graph: Graph, options: SessionOptions): Promise<Session> {
    const { bytes, dims } = lower(graph, options.weightFolder);
    const entries: Record<string, string> = {};
    if (options.weightFolder !== undefined) entries.model_external_initializers_file_folder_path = options.weightFolder;
    if (options.prepack === false) entries.disable_prepacking = "1";
    const session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "basic",
      logSeverityLevel: 3,
      enableMemPattern: false, // sizes differ from run to run
      extra: { session: entries },
      ...(options.profilePrefix === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
    });
    numLiveSessions++;
    return new Session(graph, dims, session);
  }

  /**
   * Runs the graph once.
   *
   * @param feeds     data of each graph input, row-major
   * @param bindings  sizes of the symbolic dimensions
   * @param into      buffers that outputs are written to in place; views of larger buffers are fine. Must not alias any feed that is read after.
   * @returns         every graph output (those of `into` included)
   */
  async run(
    feeds: Readonly<Record<string, TensorData>>,
    bindings: Bindings,
    into: Readonly<Record<string, Float32Array>> = {},
  ): Promise<Record<string, Float32Array>> {
    const inputs: Record<string, Ort.Tensor> = {};
    for (const value of this.graph.inputs) inputs[value.name] = toTensor(value, feeds[value.name], bindings);
    for (const dim of this.dims) {
      inputs[`dim:${dim}`] = new ort.Tensor("int64", BigInt64Array.of(BigInt(boundDim(dim, bindings))), [1]);
    }
    const fetches: Record<string, Ort.Tensor | null> = {};
    for (const [name, value] of this.graph.outputs) {
      const buffer = into[name];
      fetches[name] = buffer === undefined ? null : toTensor(value, buffer, bindings);
    }
    const outputs = await this.session.run(inputs, fetches);
    return Object.fromEntries(
      [...this.graph.outputs.keys()].map((name) => [name, outputs[name]!.data as Float32Array]),
    );
  }

  async release(): Promise<void> {
    await this.session.release();
    numLiveSessions--;
  }
}

function toTensor(value: Value, data: TensorData | undefined, bindings: Bindings): Ort.Tensor {
  const shape = value.shape.map((dim) => boundDim(dim, bindings));
  const size = shape.reduce((a, b) => a * b, 1);
  if (data === undefined || data.length !== size) {
    throw new Error(`${value.name} needs ${size} numbers ([${shape.join(", ")}]), got ${data?.length ?? "none"}`);
  }
  return new ort.Tensor(value.dtype, data, shape);
}
