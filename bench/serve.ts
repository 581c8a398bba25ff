/**
 * @file mixtune/tiny behind its server for a minute: 200 clients that ask again and again, then 5,000 malformed requests. Counts what was answered,
 * refused with 429 and lost, and watches the server's memory, which is a process of its own. Prints one JSON line.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Rng } from "../src/base/rng.ts";
import { served, twoModels } from "../test/support/serving.ts";

const CLIENTS = 200;
const SECONDS = 60;
const MALFORMED = 5000;
/** Part of the time that memory may still grow in: caches, compiled code, buffers of the engine. */
const WARM_UP = 1 / 3;
const RSS_EVERY_MS = 2000;

if (process.argv[2] === "--server") await runServer();
else process.stdout.write(`${JSON.stringify(await runClients())}\n`);

async function runServer(): Promise<void> {
  const two = await twoModels(join(process.cwd(), "assets", "tiny"));
  const server = await served([two.base, two.tuned]);
  process.on("message", async (message) => {
    if (message === "rss") {
      globalThis.gc!(); // garbage that only waits to be collected is no leak
      process.send!({ rss: process.memoryUsage.rss(), faults: server.faults.length });
    }
    if (message !== "stop") return;
    process.send!({ isComplete: await server.stop(30_000) });
    await two.close();
    process.disconnect();
  });
  process.send!({ port: server.port });
}

async function runClients() {
  const server = fork(process.argv[1]!, ["--server"], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ask = async <T>(message: string): Promise<T> => {
    server.send(message);
    return (await once(server, "message"))[0] as T;
  };
  const { port } = (await once(server, "message"))[0] as { port: number };
  const load = await underLoad(port, async () => (await ask<{ rss: number }>("rss")).rss);
  const malformed = await malformedRequests(port);
  const { rss, faults } = await ask<{ rss: number; faults: number }>("rss");
  const last = await post(port, CHAT(0), new Agent());
  const { isComplete } = await ask<{ isComplete: boolean }>("stop");
  const [exitCode] = await once(server, "exit");
  return {
    ...load,
    malformed,
    after: { rssMb: megabytes(rss), faults, answersStill: last.status === 200, stopsInTime: isComplete, exitCode },
  };
}

/** A request of every kind in turn. */
function CHAT(i: number): string {
  return JSON.stringify({
    model: i % 2 === 0 ? "base" : "org/tuned",
    messages: [{ role: "user", content: `Is it good news that sales rose by ${i % 97} % in quarter ${i % 4}?` }],
    max_tokens: 8 + (i % 3) * 12,
    temperature: i % 3 === 0 ? 0 : 1,
    seed: i,
    stream: i % 5 === 0,
  });
}

async function underLoad(port: number, rssOf: () => Promise<number>) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const until = performance.now() + 1000 * SECONDS;
  const counts = { sent: 0, answered: 0, refused: 0, lost: 0 };
  const waits: number[] = [];
  let numTokens = 0;
  const client = async () => {
    while (performance.now() < until) {
      const began = performance.now();
      const i = counts.sent++;
      const { status, text, retryAfter } = await post(port, CHAT(i), agent);
      const isWhole = text.endsWith("data: [DONE]\n\n") || text.endsWith("}");
      if (status === 200 && isWhole) {
        counts.answered++;
        waits.push(performance.now() - began);
        numTokens += Number(/"completion_tokens":(\d+)/.exec(text)?.[1] ?? 0);
      } else if (status === 429) {
        counts.refused++;
        await sleep(1000 * retryAfter);
      } else counts.lost++;
    }
  };
  const samples: number[] = [];
  const watch = async () => {
    while (performance.now() < until) {
      samples.push(await rssOf());
      await sleep(RSS_EVERY_MS);
    }
  };
  await Promise.all([watch(), ...Array.from({ length: CLIENTS }, client)]);
  agent.destroy();
  waits.sort((a, b) => a - b);
  const warm = samples.slice(Math.floor(WARM_UP * samples.length));
  const half = Math.floor(warm.length / 2);
  return {
    clients: CLIENTS,
    seconds: SECONDS,
    ...counts,
    answersPerSecond: Math.round((10 * counts.answered) / SECONDS) / 10,
    tokensPerSecondOfWholeAnswers: Math.round(numTokens / SECONDS),
    waitMs: { median: Math.round(waits[waits.length >> 1]!), p95: Math.round(waits[Math.floor(0.95 * waits.length)]!) },
    // of the second third, of the last, and the highest
    rssMb: {
      before: megabytes(median(warm.slice(0, half))),
      after: megabytes(median(warm.slice(half))),
      most: megabytes(Math.max(...samples)),
    },
  };
}

interface Reply {
  /** 0: no answer came. */
  status: number;
  text: string;
  retryAfter: number;
}

function post(port: number, body: string, agent: Agent, path = "/v1/chat/completions"): Promise<Reply> {
  return new Promise((resolve) => {
    const lost = () => resolve({ status: 0, text: "", retryAfter: 0 });
    const sent = request({ host: "127.0.0.1", port, method: "POST", path, agent, timeout: 120_000 }, (response) => {
      let text = "";
      response.on("data", (piece) => {
        text += piece;
      });
      response.on("error", lost);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text, retryAfter: Number(response.headers["retry-after"] ?? 1) }),
      );
    });
    sent.on("error", lost);
    sent.on("timeout", () => sent.destroy());
    sent.end(body);
  });
}

/** Bodies cut, with bytes changed, of other types or far too deep; and bytes that are no HTTP. */
async function malformedRequests(port: number) {
  const rng = new Rng("malformed");
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const statuses: Record<string, number> = {};
  const one = async (i: number) => {
    const status = i % 10 === 9 ? await rawBytes(port, rng) : (await post(port, damaged(rng), agent)).status;
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  for (let i = 0; i < MALFORMED; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => one(i + k)));
  agent.destroy();
  return statuses;
}

function damaged(rng: Rng): string {
  const body = CHAT(rng.int(1000));
  const at = rng.int(body.length);
  const kinds = [
    () => body.slice(0, at),
    () => `${body.slice(0, at)}${String.fromCharCode(rng.int(0x800))}"${body.slice(at)}`,
    () => JSON.stringify({ ...JSON.parse(body), [`key${at}`]: at }),
    () => JSON.stringify({ ...JSON.parse(body), messages: at }),
    () => JSON.stringify({ ...JSON.parse(body), max_tokens: -at }),
    () => JSON.stringify({ ...JSON.parse(body), model: body }),
    () => "[".repeat(20_000 + at),
    () => JSON.stringify({ ...JSON.parse(body), messages: [{ role: "user", content: "x ".repeat(5000) }] }),
  ];
  return kinds[rng.int(kinds.length)]!();
}

/** Status of the answer to bytes that are no request; "closed" where there is none. */
function rawBytes(port: number, rng: Rng): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (piece) => {
      text += piece;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? "closed"));
    const lines = [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
      `GET /${"a".repeat(30_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      "GET /v1/models HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n",
      "GET /%zz%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ];
    socket.end(lines[rng.int(lines.length)]!);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
