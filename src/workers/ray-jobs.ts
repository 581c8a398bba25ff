/** @file What we use of Ray's REST API: its version, nodes, packages and jobs. Nothing else of a cluster is spoken to. */

import { request as http } from "node:http";
import { request as https } from "node:https";
import { z } from "zod";
import { SpecError, WorkerError } from "../base/errors.ts";

/** Where a cluster is asked. */
export interface RayAddress {
  /** Of its dashboard, without a slash at the end. */
  url: string;
  /** Of a cluster with token authentication: RAY_AUTH_TOKEN. Never written anywhere. */
  token?: string | undefined;
}

const REQUEST_MS = 30_000;
const job = z.looseObject({
  submission_id: z.string().nullable(),
  status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: z.string().nullable().optional(),
  metadata: z.record(z.string(), z.string()).nullable().optional(),
});

/** A job as Ray tells of it. */
export type RayJob = z.infer<typeof job>;

const versionSchema = z.looseObject({ ray_version: z.string() });
const nodesSchema = z.looseObject({
  data: z.looseObject({
    result: z.looseObject({
      result: z.array(z.looseObject({ state: z.string(), resources_total: z.record(z.string(), z.number()) })),
    }),
  }),
});

/** What a cluster has, all alive nodes together. */
export interface RayCluster {
  version: string;
  nodes: number;
  cpus: number;
  gpus: number;
}

/** What a job is started with. */
export interface RaySubmission {
  /** A shell runs it: made of checked words only. */
  entrypoint: string;
  submission_id: string;
  runtime_env: { working_dir: string; env_vars: Record<string, string> };
  metadata: Record<string, string>;
}

/** Thrown where Ray says no to one request; the cluster is there. */
export class RayRefusal extends WorkerError {}

/**
 * The address of a dashboard as a person names it.
 * @throws {SpecError} another protocol, a password in it
 */
export function rayUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hasPassword = url !== undefined && (url.username !== "" || url.password !== "");
  if (url !== undefined && /^https?:$/.test(url.protocol) && !hasPassword && url.search === "" && url.hash === "")
    return url.href.replace(/\/+$/, "");
  throw new SpecError({
    place: "options.address",
    expected: "the address of Ray's dashboard, such as http://head-node:8265",
    got: hasPassword ? "one with a name or password in it" : text,
    remedy: hasPassword
      ? "Give the cluster's token in the environment variable RAY_AUTH_TOKEN."
      : "ray start --head prints it; through a tunnel it is http://127.0.0.1:8265.",
  });
}

export function rayJobs({ url, token }: RayAddress) {
  const request = async (path: string, method = "GET", body?: string | Uint8Array): Promise<Answer> => {
    let answer: Answer;
    try {
      answer = await send(`${url}${path}`, method, token, body);
    } catch (error) {
      throw unreachable(url, error as NodeJS.ErrnoException);
    }
    if (answer.status === 401 || answer.status === 403) throw unauthorised(url, answer.status, token);
    return answer;
  };
  const answer = async <T>(schema: z.ZodType<T>, path: string, method?: string, body?: string): Promise<T> => {
    const { status, text } = await request(path, method, body);
    if (status !== 200) throw refused(`${url}${path}`, status, text);
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw new WorkerError({
      place: `${url}${path}`,
      expected: "an answer of Ray's dashboard",
      got: text.slice(0, 120) || "nothing",
      remedy: "Check that options.address is the dashboard's (port 8265 by default), of Ray 2.9 or newer.",
    });
  };
  return {
    cluster: async (): Promise<RayCluster> => {
      const { ray_version } = await answer(versionSchema, "/api/version");
      const { data } = await answer(nodesSchema, "/api/v0/nodes?limit=10000&detail=True");
      const alive = data.result.result.filter(({ state }) => state === "ALIVE");
      const sum = (name: string) => alive.reduce((total, node) => total + (node.resources_total[name] ?? 0), 0);
      return { version: ray_version, nodes: alive.length, cpus: sum("CPU"), gpus: sum("GPU") };
    },
    /** Uploads an archive unless it is there. @returns what a runtime environment calls it */
    putPackage: async (name: string, archive: Uint8Array): Promise<string> => {
      const path = `/api/packages/gcs/${name}`;
      const found = await request(path);
      const { status, text } = found.status === 404 ? await request(path, "PUT", archive) : found;
      if (status !== 200) throw refused(`${url}${path}`, status, text);
      return `gcs://${name}`;
    },
    submit: async (submission: RaySubmission): Promise<void> => {
      await answer(z.looseObject({}), "/api/jobs/", "POST", JSON.stringify(submission));
    },
    jobs: (): Promise<RayJob[]> => answer(z.array(job), "/api/jobs/"),
    /** Undefined: Ray knows no such job. */
    job: async (id: string): Promise<RayJob | undefined> => {
      try {
        return await answer(job, `/api/jobs/${id}`);
      } catch (error) {
        if (error instanceof RayRefusal && error.got.startsWith("404")) return undefined;
        throw error;
      }
    },
    logs: async (id: string): Promise<string> =>
      (await answer(z.looseObject({ logs: z.string() }), `/api/jobs/${id}/logs`)).logs,
  };
}

export type RayJobs = ReturnType<typeof rayJobs>;

interface Answer {
  status: number;
  text: string;
}

/** Not by fetch: it sends what browsers send, and Ray takes no jobs from browsers. Redirections are not followed: a token is for this address alone. */
function send(url: string, method: string, token: string | undefined, body?: string | Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? https : http;
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(typeof body === "string" && { "content-type": "application/json" }),
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
    };
    const sent = open(url, { method, headers, signal: AbortSignal.timeout(REQUEST_MS) }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode!, text: Buffer.concat(pieces).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function unreachable(url: string, error: NodeJS.ErrnoException): WorkerError {
  return new WorkerError({
    place: url,
    expected: "the dashboard of a Ray cluster",
    got: error.name === "AbortError" || error.name === "TimeoutError" ? "no answer" : (error.code ?? error.message),
    remedy:
      "Check options.address and that the cluster is up (ray status there); a firewall or tunnel may stand between.",
    cause: error,
  });
}

function unauthorised(url: string, status: number, token: string | undefined): WorkerError {
  return new WorkerError({
    place: url,
    expected: "the token of this cluster in RAY_AUTH_TOKEN",
    got: token === undefined ? `none (status ${status})` : `another (status ${status})`,
    remedy: "Set RAY_AUTH_TOKEN to the cluster's: ray get-auth-token prints it there.",
  });
}

function refused(place: string, status: number, text: string): RayRefusal {
  const reason = text.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  return new RayRefusal({
    place,
    expected: "that Ray does as asked",
    got: `${status}${reason === "" ? "" : `: ${reason}`}`,
    remedy: "The dashboard's log on Ray's head node says more; the same command goes on where this stopped.",
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
