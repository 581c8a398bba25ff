/**
 * @file A small hub on the loopback interface: repositories from memory, listed and served as the hub does, and every fault that a test asks for.
 * Large files live on a second server ("the CDN") behind a redirect, as on the hub.
 */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Files by path; those of at least {@link LARGE_BYTES}, or named *.safetensors, are large. */
export type RepoFiles = Record<string, FileContent>;

/** `head`: a file said to have `bytes` bytes of which only the first are ever served. */
export type FileContent = Buffer | string | { head: Buffer; bytes: number };

const LARGE_BYTES = 10_000;

/** What a test may do to an answer; the first fault that fits is used once for each unit of `times`. */
export interface Fault {
  /** Part of the address that it fits. */
  match: string;
  times?: number;
  /** Only requests for a whole file, or for all from some byte on. */
  on?: "whole" | "rest";
  status?: number;
  headers?: Record<string, string>;
  /** Sends so many bytes of the body, then drops the connection… */
  cutAfter?: number;
  /** …or keeps it open and says no more. */
  hold?: boolean;
  /** Sends these bytes instead. */
  body?: Buffer | string;
}

export interface SeenRequest {
  server: "hub" | "cdn";
  path: string;
  authorization: string | undefined;
  range: string | undefined;
}

export interface HubServer {
  endpoint: string;
  /** Every request so far. */
  seen: SeenRequest[];
  faults: Fault[];
  /** Sets a revision of a repository. @returns its commit */
  put(kind: "model" | "dataset", id: string, files: RepoFiles, revision?: string): string;
  /** Paths to list besides what is there: for hostile lists. */
  extraPaths: string[];
  close(): Promise<void>;
}

export interface HubServerOptions {
  /** Needed for every file of these repositories. */
  gated?: { ids: readonly string[]; token: string };
  /** Entries of a page of the list of files. */
  pageSize?: number;
  /** Ranges are ignored, as some mirrors do. */
  withoutRanges?: boolean;
}

/** Starts it. */
export async function startHub(options: HubServerOptions = {}): Promise<HubServer> {
  const repos = new Map<string, Map<string, string>>(); // kind/id -> revision -> commit
  const trees = new Map<string, RepoFiles>(); // commit -> files
  const blobs = new Map<string, Buffer>(); // digest -> bytes, for the CDN
  const seen: SeenRequest[] = [];
  const faults: Fault[] = [];
  const extraPaths: string[] = [];
  let hubAddress = "";
  let cdnAddress = "";

  const answer = (server: "hub" | "cdn", handle: (url: URL, req: IncomingMessage, res: ServerResponse) => void) =>
    createServer((req, res) => {
      const url = new URL(req.url ?? "/", hubAddress || "http://127.0.0.1");
      const { authorization, range } = req.headers;
      seen.push({ server, path: url.pathname, authorization, range });
      const fault = faults.find(
        ({ match, on, times = 1 }) =>
          times > 0 &&
          (on === undefined || (on === "rest" ? range?.endsWith("-") : range === undefined)) &&
          url.pathname.includes(match),
      );
      if (fault !== undefined) fault.times = (fault.times ?? 1) - 1;
      if (fault?.status !== undefined) {
        res.writeHead(fault.status, fault.headers);
        return void res.end(fault.body ?? "");
      }
      if (fault?.body !== undefined) return void send(res, Buffer.from(fault.body), undefined, fault, options);
      handle(url, req, Object.assign(res, { fault }));
    });

  const cdn = answer("cdn", (url, req, res) => {
    const bytes = blobs.get(url.pathname.slice(1));
    if (bytes === undefined) return void res.writeHead(404).end();
    send(res, bytes, req.headers.range, (res as { fault?: Fault }).fault, options);
  });

  const hub = answer("hub", (url, req, res) => {
    const fault = (res as { fault?: Fault }).fault;
    const path = decodeURIComponent(url.pathname);
    const api = /^\/api\/(model|dataset)s\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(path);
    if (api !== null) {
      const [, kind, id, what, revision] = api as unknown as [string, string, string, string, string];
      const commit = commitOf(repos, kind, id, revision, res);
      if (commit === undefined) return;
      if (what === "revision")
        return void json(res, { _id: "1", id, sha: commit, lastModified: "2020-01-01T00:00:00Z" });
      const entries = entriesOf(trees.get(commit)!, extraPaths);
      const size = options.pageSize ?? 1000;
      const from = Number(url.searchParams.get("cursor") ?? 0);
      const next = new URL(url);
      next.searchParams.set("cursor", `${from + size}`);
      if (from + size < entries.length) res.setHeader("Link", `<${next.href}>; rel="next"`);
      return void json(res, entries.slice(from, from + size));
    }
    const file = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    if (file === null) return void refuse(res, 404, "RepoNotFound");
    const [, prefix, id, revision, name] = file as unknown as [string, string | undefined, string, string, string];
    if (options.gated?.ids.includes(id) && req.headers.authorization !== `Bearer ${options.gated.token}`)
      return void refuse(res, req.headers.authorization === undefined ? 401 : 403, "GatedRepo");
    const commit = commitOf(repos, prefix === undefined ? "model" : "dataset", id, revision, res);
    if (commit === undefined) return;
    const content = trees.get(commit)![name];
    if (content === undefined) return void refuse(res, 404, "EntryNotFound");
    const bytes = bytesOf(content);
    res.setHeader("X-Repo-Commit", commit);
    const digest = digestOf(name, bytes);
    if (!isLarge(name, bytes)) {
      res.setHeader("ETag", `"${digest}"`);
      return void send(res, bytes, req.headers.range, fault, options);
    }
    blobs.set(digest, bytes);
    res.writeHead(302, {
      Location: `${cdnAddress}/${digest}`,
      "X-Linked-ETag": `"${digest}"`,
      "X-Linked-Size": `${bytes.length}`,
    });
    res.end();
  });

  hubAddress = await listen(hub);
  cdnAddress = await listen(cdn);
  return {
    endpoint: hubAddress,
    seen,
    faults,
    extraPaths,
    put(kind, id, files, revision = "main") {
      const content = Object.entries(files).map(([path, file]) => [path, sha1(bytesOf(file))]);
      const commit = sha1(Buffer.from(JSON.stringify([kind, id, content])));
      const key = `${kind}/${id}`;
      if (!repos.has(key)) repos.set(key, new Map());
      repos.get(key)!.set(revision, commit).set(commit, commit);
      trees.set(commit, files);
      return commit;
    },
    close: async () => {
      for (const server of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function commitOf(
  repos: Map<string, Map<string, string>>,
  kind: string,
  id: string,
  revision: string,
  res: ServerResponse,
): string | undefined {
  const repo = repos.get(`${kind}/${id}`);
  const commit = repo?.get(revision);
  if (repo === undefined) refuse(res, 401, "RepoNotFound");
  else if (commit === undefined) refuse(res, 404, "RevisionNotFound");
  return commit;
}

function entriesOf(files: RepoFiles, extraPaths: readonly string[]): object[] {
  const own = Object.entries(files).map(([path, content]) => {
    const bytes = bytesOf(content);
    const size = typeof content === "object" && "head" in content ? content.bytes : bytes.length;
    const lfs = { oid: digestOf(path, bytes), size, pointerSize: 130 };
    return { type: "file", path, size, oid: gitDigest(bytes), ...(isLarge(path, bytes) ? { lfs } : {}) };
  });
  const folders = [...new Set(Object.keys(files).flatMap((path) => (path.includes("/") ? [path.split("/")[0]!] : [])))];
  const extra = extraPaths.map((path) => ({ type: "file", path, size: 1, oid: gitDigest(Buffer.from("x")) }));
  return [
    ...folders.map((path) => ({ type: "directory", path, size: 0, oid: sha1(Buffer.from(path)) })),
    ...own,
    ...extra,
  ];
}

function send(
  res: ServerResponse,
  bytes: Buffer,
  range: string | undefined,
  fault: Fault | undefined,
  options: HubServerOptions,
): void {
  const asked = options.withoutRanges ? null : /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  const from = Number(asked?.[1] ?? 0);
  const to = asked?.[2] ? Math.min(Number(asked[2]) + 1, bytes.length) : bytes.length;
  const body = bytes.subarray(from, to);
  const headers: Record<string, string> = { "Content-Length": `${body.length}` };
  if (asked !== null) headers["Content-Range"] = `bytes ${from}-${to - 1}/${bytes.length}`;
  res.writeHead(asked === null ? 200 : 206, headers);
  if (fault?.cutAfter === undefined) return void res.end(body);
  res.write(body.subarray(0, fault.cutAfter), () => {
    if (!fault.hold) setTimeout(() => res.destroy(), 20);
  });
}

function bytesOf(content: FileContent): Buffer {
  return typeof content === "object" && "head" in content ? content.head : Buffer.from(content);
}

function refuse(res: ServerResponse, status: number, code: string): void {
  res.writeHead(status, { "X-Error-Code": code, "X-Error-Message": code });
  res.end();
}

function json(res: ServerResponse, value: unknown): void {
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify(value));
}

function isLarge(path: string, bytes: Buffer): boolean {
  return bytes.length >= LARGE_BYTES || path.endsWith(".safetensors");
}

function digestOf(path: string, bytes: Buffer): string {
  return isLarge(path, bytes) ? createHash("sha256").update(bytes).digest("hex") : gitDigest(bytes);
}

function gitDigest(bytes: Buffer): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function sha1(bytes: Buffer): string {
  return createHash("sha1").update(bytes).digest("hex");
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  );
}
