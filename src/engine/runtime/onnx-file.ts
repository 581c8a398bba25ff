/** @file An ONNX model on disk, run as its users run it: by ONNX Runtime, from its file. */

import type * as Ort from "onnxruntime-node";
import type { OnnxElementType } from "../../formats/onnx.ts";
import { ort } from "./onnxruntime.ts";
import type { TensorData } from "./session.ts";

export interface FedTensor {
  type: OnnxElementType;
  data: TensorData;
  shape: readonly number[];
}

/** Owns the session of one file. Release it when done. */
export class OnnxFile {
  private readonly session: Ort.InferenceSession;

  private constructor(session: Ort.InferenceSession) {
    this.session = session;
  }

  static async open(path: string, threads: number): Promise<OnnxFile> {
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new OnnxFile(await ort.InferenceSession.create(path, options));
  }

  async run(feeds: Readonly<Record<string, FedTensor>>): Promise<Record<string, Float32Array>> {
    const tensors = Object.entries(feeds).map(([name, { type, data, shape }]) => [
      name,
      new ort.Tensor(type, data, [...shape]),
    ]);
    const outputs = await this.session.run(Object.fromEntries(tensors));
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
  }

  release(): Promise<void> {
    return this.session.release();
  }
}
