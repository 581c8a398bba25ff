/** @file The PyTorch worker's process: does one prepared run after another, so that PyTorch is imported once. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { WorkerError } from "../base/errors.ts";
import { type WorkerMessage, workerMessageSchema } from "../specs/prepared.ts";
import type { RunProgress } from "../study/types.ts";
import { Interrupted, type JobContext } from "./engine.ts";

export interface TorchProcessSettings {
  /** The interpreter. */
  python: string;
  /** Everything that it sees of the environment. */
  environment: Record<string, string>;
}

type Outcome = Extract<WorkerMessage, { kind: "outcome" }>;
type Said = Exclude<WorkerMessage, Outcome>;

/** How often the signal is looked at. */
const POLL_MS = 200;
/** Lines of the worker's complaints that are shown when it ends without a word. */
const LAST_LINES = 8;

interface Running {
  child: ChildProcessWithoutNullStreams;
  lines: Interface;
  complaints: string[];
  /** Its exit status, or the signal that ended it. */
  ended: Promise<number | string>;
}

/** Starts when it is first needed; after a fault, anew. */
export class TorchProcess {
  private readonly settings: TorchProcessSettings;
  private running: Running | undefined;

  constructor(settings: TorchProcessSettings) {
    this.settings = settings;
  }

  /**
   * Has a prepared run done.
   * @throws {Interrupted} the job's signal has fired
   * @throws {WorkerError} what the worker says, or that it ended without a word
   */
  async run(preparedDir: string, { job, onProgress, isAborted }: JobContext): Promise<void> {
    this.running ??= this.start();
    const running = this.running;
    const poll = setInterval(async () => {
      if (await isAborted()) running.child.kill("SIGINT");
    }, POLL_MS);
    try {
      running.child.stdin.write(`${JSON.stringify({ prepared: preparedDir, run: job.dir })}\n`);
      let last: RunProgress = { id: job.id, phase: "load", done: 0, total: 0, unit: "steps" };
      const outcome = await followed(running, (said) => {
        if (said.kind === "note") return onProgress({ ...last, note: said.text });
        const { kind: _, ...progress } = said;
        onProgress({ id: job.id, ...withoutUndefined(progress) });
        const { phase, done, total, unit } = progress;
        last = { id: job.id, phase, done, total, unit };
      });
      if (outcome.state === "interrupted") throw new Interrupted();
      if (outcome.state === "failed") {
        const { place, expected, got, remedy, stack } = outcome;
        throw new WorkerError({
          place,
          expected,
          got,
          remedy,
          ...(stack !== undefined && { cause: new Error(stack) }),
        });
      }
    } catch (error) {
      await this.end();
      throw error;
    } finally {
      clearInterval(poll);
    }
  }

  /** Lets the process go. */
  async end(): Promise<void> {
    const running = this.running;
    this.running = undefined;
    running?.child.stdin.end();
    await running?.ended.catch(() => {});
  }

  private start(): Running {
    const { python, environment } = this.settings;
    const child = spawn(python, ["-m", "mixtune_worker", "work"], { env: environment, stdio: "pipe" });
    const complaints: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      complaints.push(line);
      if (complaints.length > LAST_LINES) complaints.shift();
    });
    child.stdin.on("error", () => {}); // a process that ended says so by its status
    const ended = new Promise<number | string>((resolve, reject) => {
      child.once("error", (error) => reject(notStarted(python, error)));
      child.once("close", (code, signal) => resolve(code ?? signal!));
    });
    ended.catch(() => {}); // whoever follows hears of it
    return { child, lines: createInterface({ input: child.stdout }), complaints, ended };
  }
}

/** Passes on what is said until there is an outcome. */
function followed({ lines, complaints, ended }: Running, onSaid: (said: Said) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const onLine = (line: string) => {
      try {
        const message = messageOf(line);
        if (message.kind === "outcome") settle(() => resolve(message));
        else onSaid(message);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const settle = (how: () => void) => {
      lines.off("line", onLine);
      how();
    };
    lines.on("line", onLine);
    ended.then(
      (status) => settle(() => reject(endedWithoutWord(status, complaints))),
      (error) => settle(() => reject(error)),
    );
  });
}

function messageOf(line: string): WorkerMessage {
  try {
    return workerMessageSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new WorkerError({
      place: "the PyTorch worker's output",
      expected: "a message of this version's protocol",
      got: line.slice(0, 200),
      remedy: "Use the worker that came with this mixtune: unset PYTHONPATH, or run mixtune setup torch again.",
      cause,
    });
  }
}

function withoutUndefined<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never;
}

function notStarted(python: string, cause: Error): WorkerError {
  return new WorkerError({
    place: python,
    expected: "a Python that can be started",
    got: cause.message,
    remedy: "Run mixtune setup torch, or name an interpreter with PyTorch in MIXTUNE_PYTHON.",
    cause,
  });
}

function endedWithoutWord(status: number | string, complaints: readonly string[]): WorkerError {
  const killed = status === "SIGKILL" ? " (killed: often for want of memory)" : "";
  return new WorkerError({
    place: "the PyTorch worker",
    expected: "an outcome before its end",
    got: `status ${status}${killed}${complaints.length > 0 ? `; its last lines: ${complaints.join(" / ")}` : ""}`,
    remedy: "The same command goes on from the last checkpoint.",
  });
}
