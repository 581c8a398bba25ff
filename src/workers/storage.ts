/** @file Storage that a laptop and a Ray cluster both reach: a folder, read and written here, or whatever fsspec opens, by a Python beside us. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type MixtuneError, SpecError, WorkerError } from "../base/errors.ts";

/** Files by names relative to a root, `/` between their parts. Nothing half-written is ever seen under its name. */
export interface Storage {
  /** As people and Python name it: `file:///…`, `s3://…`. */
  uri: string;
  /** How often it is worth looking for something new, in milliseconds. */
  pollMs: number;
  /** Undefined: no such file. */
  read(name: string): Promise<Buffer | undefined>;
  write(name: string, content: string): Promise<void>;
  put(file: string, name: string): Promise<void>;
  /** @throws {WorkerError} no such file */
  get(name: string, file: string): Promise<void>;
  /** What lies in a folder; nothing if there is none. */
  names(folder: string): Promise<string[]>;
  /** A file or a folder; fine if there is none. */
  remove(name: string): Promise<void>;
  close(): void;
}

/** Who opens what is no folder. */
export interface StorageHelper {
  /** An interpreter with fsspec and the package for the store. */
  python: string;
  /** Everything that it sees of the environment: credentials for the store among it. */
  environment: Record<string, string>;
}

const FOLDER_POLL_MS = 500;
/** Requests to object stores have a price. */
const OBJECT_POLL_MS = 3_000;
/** What goes through a shell's quotes and Ray's records unharmed. */
const PLAIN_URI = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._~/+@=,-]+$/;

/**
 * The URI of storage as a person names it: a folder's path becomes `file://`.
 * @throws {SpecError} none, with a password in it, or of letters that need quoting
 */
export function storageUri(text: string): string {
  const isUri = /^[a-z][a-z0-9+.-]*:\/\//.test(text);
  const uri = (isUri ? text : `file://${resolve(text)}`).replace(/\/+$/, "");
  const hasPassword = /^[a-z][a-z0-9+.-]*:\/\/[^/]*@/.test(uri) && !/^(abfss?|az):/.test(uri);
  if (PLAIN_URI.test(uri) && !hasPassword) return uri;
  throw new SpecError({
    place: "options.storage",
    expected: "a folder, or a URI such as s3://bucket/folder, of letters, digits and . _ ~ + @ = , -",
    got: hasPassword ? "one with a name or password in it" : text,
    remedy: hasPassword
      ? "Leave them out: fsspec finds credentials where the store's own tools do."
      : "Name storage that your computer and every node of the cluster see.",
  });
}

export function openStorage(uri: string, helper: StorageHelper): Storage {
  return uri.startsWith("file://") ? folderStorage(uri) : fsspecStorage(uri, helper);
}

function folderStorage(uri: string): Storage {
  const root = fileURLToPath(uri);
  const at = (name: string) => join(root, name);
  const whole = async (name: string, fill: (temp: string) => Promise<void>): Promise<void> => {
    const path = at(name);
    const temp = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
    try {
      await mkdir(dirname(path), { recursive: true });
      await fill(temp);
      await sync(temp);
      await rename(temp, path);
    } catch (error) {
      await rm(temp, { force: true }).catch(() => {});
      throw failed(path, "to write it", error);
    }
  };
  return {
    ...{ uri, pollMs: FOLDER_POLL_MS },
    read: (name) =>
      readFile(at(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw failed(at(name), "to read it", error);
      }),
    write: (name, content) => whole(name, (temp) => writeFile(temp, content)),
    put: (file, name) => whole(name, (temp) => copyFile(file, temp, constants.COPYFILE_FICLONE)),
    get: async (name, file) => {
      const temp = await besides(file);
      try {
        await copyFile(at(name), temp, constants.COPYFILE_FICLONE);
        await rename(temp, file);
      } catch (error) {
        await rm(temp, { force: true });
        throw failed(at(name), "to read it", error);
      }
    },
    names: async (folder) => {
      const names = await readdir(at(folder)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw failed(at(folder), "to list it", error);
      });
      return names.filter((name) => !name.startsWith(".")).sort();
    },
    remove: (name) =>
      rm(at(name), { recursive: true, force: true }).catch((error) => {
        throw failed(at(name), "to remove it", error);
      }),
    close: () => {},
  };
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A name for a file that is not whole yet. */
async function besides(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  return join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
}

function failed(place: string, what: string, error: unknown): WorkerError {
  return new WorkerError({
    place,
    expected: `room and permission ${what}`,
    got: error instanceof Error ? error.message : String(error),
    remedy: "Check the storage and who may use it; what was complete before stays.",
    cause: error,
  });
}

type Answer = { ok: unknown } | { error: { place: string; expected: string; got: string; remedy: string } };

/** `python -m mixtune_worker storage URI`: a request a line, an answer a line, in order. */
function fsspecStorage(uri: string, { python, environment }: StorageHelper): Storage {
  let helper: ChildProcessWithoutNullStreams | undefined;
  let complaint = "";
  const waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
  const start = (): ChildProcessWithoutNullStreams => {
    const child = spawn(python, ["-m", "mixtune_worker", "storage", uri], { env: environment });
    const end = (reason: string) => {
      helper = undefined;
      for (const { reject } of waiting.splice(0)) reject(noHelper(python, complaint.trim() || reason));
    };
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = `${complaint}${text}`.slice(-500);
    });
    child.stdin.on("error", () => {}); // its end is told by `close`
    child.once("error", (error) => end(error.message));
    child.once("close", (status, signal) => end(`status ${status ?? signal}`));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { resolve: done, reject } = waiting.shift()!;
      try {
        const answer = JSON.parse(line) as Answer;
        if ("ok" in answer) done(answer.ok);
        else reject(new WorkerError(answer.error));
      } catch {
        reject(noHelper(python, line.slice(0, 200)));
      }
    });
    return child;
  };
  const ask = (op: string, name: string, more: Record<string, string> = {}): Promise<unknown> =>
    new Promise((done, reject) => {
      helper ??= start();
      waiting.push({ resolve: done, reject });
      helper.stdin.write(`${JSON.stringify({ op, name, ...more })}\n`);
    });
  const nothing = async (answer: Promise<unknown>): Promise<void> => void (await answer);
  return {
    ...{ uri, pollMs: OBJECT_POLL_MS },
    read: async (name) => {
      const data = (await ask("read", name)) as string | null;
      return data === null ? undefined : Buffer.from(data, "base64");
    },
    write: (name, content) => nothing(ask("write", name, { data: Buffer.from(content).toString("base64") })),
    put: (file, name) => nothing(ask("put", name, { file })),
    get: (name, file) => nothing(ask("get", name, { file })),
    names: async (folder) => (await ask("names", folder)) as string[],
    remove: (name) => nothing(ask("remove", name)),
    close: () => helper?.stdin.end(),
  };
}

function noHelper(python: string, got: string): MixtuneError {
  return new WorkerError({
    place: `${python} -m mixtune_worker storage`,
    expected: "a Python with fsspec that opens this storage",
    got,
    remedy:
      "Run mixtune setup torch, or name an interpreter with fsspec (and s3fs for s3:, gcsfs for gs:) in MIXTUNE_PYTHON.",
  });
}
