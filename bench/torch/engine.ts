/** @file The other end of bench/torch/engine.py: a process that answers one JSON line for each line that it is sent. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Engine {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly answers: AsyncIterator<string>;
  private complaints = "";

  constructor(python: string, args: readonly string[], env: Record<string, string>) {
    this.child = spawn(python, args, { env });
    this.answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.child.stderr.on("data", (text) => {
      this.complaints = `${this.complaints}${text}`.slice(-4000);
    });
  }

  /** The next answer; the first comes unasked. @throws {Error} the process ended */
  async answer<T>(): Promise<T> {
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`bench: ${this.child.spawnargs.join(" ")} ended before it answered:\n${this.complaints}`);
    return JSON.parse(value) as T;
  }

  ask<T>(what: "step" | "product"): Promise<T> {
    this.child.stdin.write(`${what}\n`);
    return this.answer<T>();
  }

  end(): void {
    this.child.kill("SIGKILL");
  }
}
