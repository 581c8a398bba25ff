import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubServer, type HubServerOptions, startHub } from "../../test/support/hub-server.ts";
import { DataError, SpecError, WorkerError } from "../base/errors.ts";
import type { ClientOptions } from "./client.ts";
import { type Hub, openHub, recordOf } from "./hub.ts";

const LARGE = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const FILES = { "config.json": '{"a":1}', "model.safetensors": LARGE, "sub/notes.txt": "hello", "empty.txt": "" };
const REF = { kind: "model", id: "org/toy" } as const;

let server: HubServer;
let cacheDir: string;
let waits: number[];

async function start(options: HubServerOptions = {}): Promise<void> {
  server = await startHub(options);
  server.put("model", "org/toy", FILES);
}

beforeEach(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), "mixtune-hub-"));
  waits = [];
  await start();
});
afterEach(async () => {
  await server.close();
  rmSync(cacheDir, { recursive: true, force: true });
});

function hubWith(settings: Partial<ClientOptions["settings"]> = {}, options: Partial<ClientOptions> = {}): Hub {
  return openHub({
    settings: { endpoint: server.endpoint, token: undefined, cacheDir, isOffline: false, ...settings },
    sleep: async (ms) => {
      waits.push(ms);
    },
    ...options,
  });
}

async function fetchAll(hub = hubWith()): Promise<string[]> {
  return hub.fetch(await hub.resolve(REF), Object.keys(FILES));
}

const filesAsked = () => server.seen.filter(({ path }) => path.includes("/resolve/"));

/** The error of a promise; fails where there is none. */
async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail("nothing was thrown"),
    (error) => error,
  );
}

describe("a repository", () => {
  test("is brought into the cache in the layout of the Python tools", async () => {
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    const progress: number[] = [];
    const paths = await hub.fetch(snapshot, Object.keys(FILES), ({ doneBytes }) => progress.push(doneBytes));
    for (const [i, content] of Object.values(FILES).entries())
      expect(readFileSync(paths[i]!)).toEqual(Buffer.from(content));
    const folder = join(cacheDir, "models--org--toy");
    expect(paths[2]).toBe(join(folder, "snapshots", snapshot.commit, "sub", "notes.txt"));
    expect(readFileSync(join(folder, "refs", "main"), "utf8")).toBe(snapshot.commit);
    const blobs = readdirSync(join(folder, "blobs"));
    expect(blobs).toHaveLength(4);
    expect(blobs).toContain(createHash("sha256").update(LARGE).digest("hex"));
    // git hash-object of the empty file: known to everybody who uses git
    expect(blobs).toContain("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    expect(progress.at(-1)).toBe(LARGE.length + 7 + 5);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  test("is not asked for again by a later call with its commit", async () => {
    const { commit } = await hubWith().resolve(REF);
    await fetchAll();
    const before = server.seen.length;
    const hub = hubWith();
    await hub.fetch(await hub.resolve({ ...REF, revision: commit }), Object.keys(FILES));
    expect(server.seen).toHaveLength(before);
  });

  test("stays at the commit where it was resolved, and moves with its branch in a new process", async () => {
    const hub = hubWith();
    const first = await hub.resolve(REF);
    const moved = server.put("model", "org/toy", { ...FILES, "config.json": '{"a":2}' });
    expect((await hub.resolve(REF)).commit).toBe(first.commit);
    const second = await hubWith().resolve(REF);
    expect(second.commit).toBe(moved);
    const [path] = await hub.fetch(first, ["config.json"]);
    expect(readFileSync(path!, "utf8")).toBe('{"a":1}');
    expect(Object.keys(recordOf(second, ["config.json"]).files)).toEqual(["config.json"]);
  });

  test("is listed page by page", async () => {
    await server.close();
    await start({ pageSize: 2 });
    expect((await hubWith().resolve(REF)).files.map(({ path }) => path).sort()).toEqual(Object.keys(FILES).sort());
  });

  test("gives ranges without its files, and from the cache where they are there", async () => {
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    expect(await hub.range(snapshot, "model.safetensors", 1000, 1010)).toEqual(LARGE.subarray(1000, 1010));
    expect(existsSync(join(cacheDir, "models--org--toy", "blobs"))).toBe(false);
    await fetchAll(hub);
    const before = server.seen.length;
    expect(await hub.range(snapshot, "model.safetensors", LARGE.length - 5, LARGE.length + 5)).toEqual(
      LARGE.subarray(-5),
    );
    expect(server.seen).toHaveLength(before);
  });

  test("gives ranges where the server knows none", async () => {
    await server.close();
    await start({ withoutRanges: true });
    const hub = hubWith();
    expect(await hub.range(await hub.resolve(REF), "model.safetensors", 70_000, 70_010)).toEqual(
      LARGE.subarray(70_000, 70_010),
    );
  });
});

describe("a transfer", () => {
  test("that is cut is taken up where it broke off", async () => {
    const snapshot = await hubWith().resolve(REF);
    const blob = snapshot.files.find(({ path }) => path === "model.safetensors")!.digest;
    server.faults.push({ match: blob, cutAfter: 100_000 });
    await fetchAll();
    const ranges = server.seen.filter(({ server, range }) => server === "cdn" && range !== undefined);
    expect(ranges.map(({ range }) => range)).toEqual(["bytes=100000-"]);
    expect(waits).toEqual([500]);
  });

  test("that is cut anywhere, several times, is whole in the end", async () => {
    const { files } = await hubWith().resolve(REF);
    const blob = files.find(({ path }) => path === "model.safetensors")!.digest;
    const cuts = fc.array(fc.integer({ min: 0, max: LARGE.length - 1 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, async (cuts) => {
        rmSync(join(cacheDir, "models--org--toy"), { recursive: true, force: true });
        server.faults.splice(0, 99, ...cuts.map((cutAfter) => ({ match: blob, cutAfter })));
        const hub = hubWith();
        const [path] = await hub.fetch(await hub.resolve(REF), ["model.safetensors"]);
        expect(readFileSync(path!).equals(LARGE)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test("that a dead process left is taken up by the next", async () => {
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    plant(LARGE.subarray(0, 200_000), snapshot.files);
    const [path] = await hub.fetch(snapshot, ["model.safetensors"]);
    expect(readFileSync(path!).equals(LARGE)).toBe(true);
    expect(server.seen.at(-1)?.range).toBe("bytes=200000-");
    expect(
      readdirSync(join(cacheDir, "models--org--toy", "blobs")).filter((name) => name.includes("incomplete")),
    ).toEqual([]);
  });

  test("that a dead process left damaged begins again", async () => {
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    plant(Buffer.alloc(200_000), snapshot.files);
    const [path] = await hub.fetch(snapshot, ["model.safetensors"]);
    expect(readFileSync(path!).equals(LARGE)).toBe(true);
  });

  test("goes on from the beginning where the server knows no ranges", async () => {
    await server.close();
    await start({ withoutRanges: true });
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    plant(LARGE.subarray(0, 200_000), snapshot.files);
    const [path] = await hub.fetch(snapshot, ["model.safetensors"]);
    expect(readFileSync(path!).equals(LARGE)).toBe(true);
  });

  test("of a live process is left alone", async () => {
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    const theirs = plant(LARGE.subarray(0, 5), snapshot.files, process.ppid);
    await hub.fetch(snapshot, ["model.safetensors"]);
    expect(readFileSync(theirs)).toEqual(LARGE.subarray(0, 5));
  });

  test("with wrong bytes leaves nothing behind and says so", async () => {
    const hub = hubWith();
    const snapshot = await hub.resolve(REF);
    const wrong = Buffer.from(LARGE);
    wrong[77]! ^= 1;
    server.faults.push({ match: "model.safetensors", body: wrong });
    const error = await errorOf(hub.fetch(snapshot, ["model.safetensors"]));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toMatch(
      /org\/toy: model.safetensors: expected bytes with the digest [0-9a-f]{64}.*was removed/,
    );
    expect(readdirSync(join(cacheDir, "models--org--toy", "blobs"))).toEqual([]);
    expect(await hub.fetch(snapshot, ["model.safetensors"])).toHaveLength(1);
  });

  test("with wrong bytes in a small file, whose digest is git's, is refused too", async () => {
    server.faults.push({ match: "config.json", body: '{"a":9}' });
    expect((await errorOf(fetchAll())).message).toContain("with the digest");
  });

  test("that always ends too early is given up, whatever the server says of its length", async () => {
    server.faults.push({ match: "config.json", body: '{"a"', times: 99 });
    const error = await errorOf(fetchAll());
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toContain("got the end after 4 of 7 bytes");
  });

  test("of more bytes than were listed is stopped", async () => {
    server.faults.push({ match: "config.json", body: '{"a":1}     ' });
    const error = await errorOf(fetchAll());
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain("expected 7 bytes");
  });

  test("asked for twice at once is made once, and both get the whole file", async () => {
    const both = await Promise.all([fetchAll(hubWith()), fetchAll(hubWith())]);
    for (const paths of both) expect(readFileSync(paths[1]!).equals(LARGE)).toBe(true);
    expect(filesAsked()).toHaveLength(Object.keys(FILES).length - 1); // nothing is asked for the empty file
  });

  test("stops when told to and keeps what has arrived", async () => {
    const stop = new AbortController();
    const hub = hubWith({}, { signal: stop.signal });
    const snapshot = await hub.resolve(REF);
    await errorOf(hub.fetch(snapshot, ["model.safetensors"], ({ doneBytes }) => doneBytes > 0 && stop.abort()));
    const [left] = readdirSync(join(cacheDir, "models--org--toy", "blobs"));
    expect(left).toContain("incomplete");
    expect(readFileSync(join(cacheDir, "models--org--toy", "blobs", left!)).length).toBeGreaterThan(0);
  });

  test("that goes silent is taken for broken", async () => {
    const snapshot = await hubWith().resolve(REF);
    server.faults.push({ match: "config.json", times: 99, cutAfter: 0, hold: true });
    const error = await errorOf(hubWith({}, { idleMs: 200 }).fetch(snapshot, ["config.json"]));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toMatch(/got no byte for 0\.2 s\.[\s\S]*what has arrived is kept/);
    expect(waits.length).toBeGreaterThanOrEqual(4);
  });

  /** A partial file of some process. */
  function plant(bytes: Buffer, files: readonly { path: string; digest: string }[], pid = 2 ** 22 + 7): string {
    const digest = files.find(({ path }) => path === "model.safetensors")!.digest;
    const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
    const folder = join(cacheDir, "models--org--toy", "blobs");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${digest}.mixtune-${host}-${pid}.incomplete`);
    writeFileSync(path, bytes);
    return path;
  }
});

describe("a server that is busy", () => {
  test("is waited for as long as it asks", async () => {
    server.faults.push({ match: "/api/", status: 429, headers: { "Retry-After": "7" } });
    const notes: string[] = [];
    await hubWith({}, { note: (text) => notes.push(text) }).resolve(REF);
    expect(waits).toEqual([7000]);
    expect(notes).toEqual(["The hub asks to wait 7 s."]);
  });

  test("may name a time of day, or its limit", async () => {
    server.faults.push(
      {
        match: "/api/",
        status: 429,
        headers: { "Retry-After": "Fri, 01 Jan 2027 00:00:09 GMT", Date: "Fri, 01 Jan 2027 00:00:00 GMT" },
      },
      { match: "/api/", status: 429, headers: { RateLimit: '"api";r=0;t=55' } },
    );
    await hubWith().resolve(REF);
    expect(waits).toEqual([9000, 55_000]);
  });

  test("that asks for an hour is not waited for", async () => {
    server.faults.push({ match: "/api/", status: 429, headers: { "Retry-After": "3600" } });
    expect((await errorOf(hubWith().resolve(REF))).message).toContain("Try again in 60 minutes");
  });

  test("with an error of its own is tried again, with growing waits, and then given up", async () => {
    server.faults.push({ match: "/api/", status: 503, times: 2 });
    await hubWith().resolve(REF);
    expect(waits).toEqual([500, 1000]);
    server.faults.push({ match: "/api/", status: 500, times: 99 });
    const error = await errorOf(hubWith().resolve(REF));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toContain("status 500, again and again");
  });

  test("that is not there is named", async () => {
    const error = await errorOf(hubWith({ endpoint: "http://127.0.0.1:9" }).resolve(REF));
    expect(error).toBeInstanceOf(WorkerError);
    expect(error.message).toMatch(/expected a connection to 127\.0\.0\.1:9/);
  });
});

describe("a refusal", () => {
  const said = async (ref: Parameters<Hub["resolve"]>[0], token?: string): Promise<string> => {
    const hub = hubWith({ token });
    const error = await errorOf(hub.resolve(ref).then((snapshot) => hub.fetch(snapshot, ["config.json"])));
    expect(error).toBeInstanceOf(SpecError);
    expect(error.message).not.toContain("hf_secret");
    return error.message;
  };

  test("of a repository that is not there names it and how models are looked up", async () => {
    expect(await said({ kind: "model", id: "org/other" })).toMatch(
      /^org\/other: expected a model .*none of that name[\s\S]*org\/name/,
    );
    expect(await said({ kind: "dataset", id: "org/toy" })).toContain("expected a dataset");
  });

  test("of a revision that is not there names it", async () => {
    expect(await said({ ...REF, revision: "v2" })).toMatch(/^org\/toy@v2: expected a revision/);
  });

  test("of a file that is not there names it", async () => {
    const hub = hubWith();
    expect((await errorOf(hub.fetch(await hub.resolve(REF), ["pytorch_model.bin"]))).message).toContain(
      "expected a file pytorch_model.bin",
    );
  });

  test("of a gated repository says how to get access, with a token and without", async () => {
    await server.close();
    await start({ gated: { ids: ["org/toy"], token: "hf_right" } });
    expect(await said(REF)).toMatch(
      /status 401: it is gated[\s\S]*Accept its terms on .*\/org\/toy, make a token on .*set HF_TOKEN/,
    );
    expect(await said(REF, "hf_secret")).toMatch(/status 403: it is gated[\s\S]*account that HF_TOKEN belongs to/);
    expect(await fetchAll(hubWith({ token: "hf_right" }))).toHaveLength(4);
  });

  test("of a token says so", async () => {
    server.faults.push({
      match: "/api/",
      status: 401,
      headers: { "X-Error-Message": "Invalid credentials in Authorization header" },
    });
    expect(await said(REF, "hf_secret")).toContain("HF_TOKEN, or the token file in HF_HOME, was refused");
  });
});

describe("the token", () => {
  test("goes to the hub and to no other host", async () => {
    await fetchAll(hubWith({ token: "hf_secret" }));
    const by = (name: string) =>
      new Set(server.seen.filter(({ server }) => server === name).map(({ authorization }) => authorization));
    expect(by("hub")).toEqual(new Set(["Bearer hf_secret"]));
    expect(by("cdn")).toEqual(new Set([undefined]));
  });
});

describe("hostile answers", () => {
  test.each([
    "../../evil",
    "/etc/passwd",
    "a/../../b",
    "a\\..\\b",
    "C:evil",
    "a//b",
    "a/./b",
    "x\u0000y",
    "a\nb",
    "a\ud800",
    `${"d/".repeat(600)}f`,
    "",
  ])("a path %j is refused with the whole list", async (path) => {
    server.extraPaths.push(path);
    const error = await errorOf(hubWith().resolve(REF));
    expect(error).toBeInstanceOf(DataError);
    expect(existsSync(join(cacheDir, "models--org--toy"))).toBe(true); // the branch's commit is known, and nothing else
    expect(readdirSync(join(cacheDir, "models--org--toy"))).toEqual(["refs"]);
  });

  test.each([
    ["no JSON", "<html>"],
    ["no list", '{"error": 1}'],
    ["an entry without size", '[{"type":"file","path":"a","oid":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}]'],
    ["a digest that is a path", '[{"type":"file","path":"a","size":1,"oid":"../../../../etc"}]'],
    ["nothing", "null"],
  ])("a list with %s is refused", async (_, body) => {
    server.faults.push({ match: "/tree/", body });
    expect(await errorOf(hubWith().resolve(REF))).toBeInstanceOf(DataError);
  });

  test.each([['{"sha": "../../x"}'], ["{}"], ["[]"], ["null"], ["gone"]])("a commit of %s is refused", async (body) => {
    server.faults.push({ match: "/revision/", body });
    expect(await errorOf(hubWith().resolve(REF))).toBeInstanceOf(DataError);
  });

  test("a redirect to a file of this machine is refused, and one without end", async () => {
    server.faults.push({ match: "/api/", status: 302, headers: { Location: "file:///etc/passwd" } });
    expect((await errorOf(hubWith().resolve(REF))).message).toContain("redirect to an http or https address");
    server.faults.push({ match: "/api/", status: 302, times: 99, headers: { Location: "/api/loop" } });
    expect((await errorOf(hubWith().resolve(REF))).message).toContain("at most 10 redirects");
  });

  test.each(["toy", "a/b/c", "../toy", "org/..", "org/a--b", "/toy", "org/a b", "org/toy?x"])(
    "a name %j is refused before anything is asked",
    async (id) => {
      expect(await errorOf(hubWith().resolve({ kind: "model", id }))).toBeInstanceOf(SpecError);
      expect(server.seen).toEqual([]);
    },
  );

  test.each(["../main", "a..b/../c", "/x", "", "a b", "-x"])(
    "a revision %j is refused before anything is asked",
    async (revision) => {
      expect(await errorOf(hubWith().resolve({ ...REF, revision }))).toBeInstanceOf(SpecError);
      expect(server.seen).toEqual([]);
    },
  );

  test.each(["ftp://x", "file:///x", "nonsense", "https://user@x"])("an endpoint %j is refused", async (endpoint) => {
    expect((await errorOf(hubWith({ endpoint }).resolve(REF))).message).toContain("HF_ENDPOINT");
  });
});

describe("offline", () => {
  test("what is in the cache is used, and nothing is asked", async () => {
    await fetchAll();
    const before = server.seen.length;
    const paths = await fetchAll(hubWith({ isOffline: true }));
    expect(readFileSync(paths[1]!).equals(LARGE)).toBe(true);
    expect(server.seen).toHaveLength(before);
  });

  test("what is not there is refused with the remedy", async () => {
    const error = await errorOf(hubWith({ isOffline: true }).resolve(REF));
    expect(error).toBeInstanceOf(SpecError);
    expect(error.message).toMatch(/HF_HUB_OFFLINE is set[\s\S]*mixtune fetch/);
    const hub = hubWith();
    await hub.fetch(await hub.resolve(REF), ["config.json"]);
    expect((await errorOf(fetchAll(hubWith({ isOffline: true })))).message).toContain(
      "org/toy: expected model.safetensors in the cache",
    );
    expect(server.seen.filter(({ path }) => path.endsWith("model.safetensors"))).toEqual([]);
  });

  test("a cache without a list of files is read by its links", async () => {
    const { commit } = await hubWith().resolve(REF);
    await fetchAll();
    rmSync(join(cacheDir, "models--org--toy", "trees"), { recursive: true });
    const snapshot = await hubWith({ isOffline: true }).resolve(REF);
    expect(snapshot.commit).toBe(commit);
    expect(snapshot.files.map(({ path }) => path).sort()).toEqual(Object.keys(FILES).sort());
  });
});

test("a file of the cache that is too short is fetched again", async () => {
  const paths = await fetchAll();
  writeFileSync(paths[1]!, LARGE.subarray(0, 10)); // through the link
  const asked = filesAsked().length;
  const again = await fetchAll();
  expect(readFileSync(again[1]!).equals(LARGE)).toBe(true);
  expect(filesAsked()).toHaveLength(asked + 1);
});
