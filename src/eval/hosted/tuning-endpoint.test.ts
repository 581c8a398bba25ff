import OpenAI, { APIError } from "openai";
import { afterEach, describe, expect, test } from "vitest";
import {
  BASE,
  startTuningServer,
  type TuningServer,
  type TuningServerOptions,
} from "../../../test/support/tuning-server.ts";
import { type JobEvent, openTuningEndpoint, type TuningEndpoint } from "./tuning-endpoint.ts";

const KEY = "sk-test-0123456789-do-not-tell";
const ROW = `${JSON.stringify({
  messages: [
    { role: "user", content: "Who asks?" },
    { role: "assistant", content: "A customer." },
  ],
})}\n`;
const ROWS = ROW.repeat(12);

let server: TuningServer;
afterEach(() => server.close());

async function start(options: TuningServerOptions = {}): Promise<TuningEndpoint> {
  server = await startTuningServer({ apiKey: KEY, ...options });
  return openTuningEndpoint({ baseUrl: server.baseUrl, apiKey: KEY, timeoutMs: 5000 });
}

function bodyOf<T>(reply: { kind: "answered"; body: T } | { kind: string }): T {
  expect(reply.kind).toBe("answered");
  return (reply as { body: T }).body;
}

test("the server is one that OpenAI's own client can work with, from file to chat", async () => {
  await start({ fileLooks: 1, pageSize: 2 });
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: KEY, maxRetries: 0 });
  const file = await client.files.create({ file: new File([ROWS], "rows.jsonl"), purpose: "fine-tune" });
  expect(file.status).toBe("uploaded");
  expect(await client.files.waitForProcessing(file.id, { pollInterval: 5 })).toMatchObject({ status: "processed" });
  let job = await client.fineTuning.jobs.create({
    ...{ model: BASE, training_file: file.id, seed: 7, suffix: "own" },
    method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 2 } } },
  });
  expect(job).toMatchObject({ status: "validating_files", trained_tokens: null, fine_tuned_model: null, error: null });
  const statuses: string[] = [];
  while (job.status !== "succeeded") {
    job = await client.fineTuning.jobs.retrieve(job.id);
    statuses.push(job.status);
  }
  expect(statuses).toEqual(["queued", "running", "succeeded"]);
  expect(job).toMatchObject({ fine_tuned_model: expect.stringMatching(/^ft:tunable:org:own:/), seed: 7 });
  const steps: unknown[] = [];
  for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 2 }))
    if (event.type === "metrics") steps.push((event.data as { step: number }).step);
  expect(steps).toEqual([4, 3, 2, 1]);
  const checkpoints = await client.fineTuning.jobs.checkpoints.list(job.id);
  expect(checkpoints.data.map(({ step_number }) => step_number)).toEqual([2, 1]);
  expect((await client.fineTuning.jobs.list()).data).toHaveLength(1);
  const chat = await client.chat.completions.create({
    model: job.fine_tuned_model!,
    messages: [{ role: "user", content: "Who asks?" }],
  });
  expect(chat.choices[0]!.message.content).toBe("A customer.");
  await expect(client.fineTuning.jobs.cancel(job.id)).rejects.toThrow(/already completed/);
  await expect(client.fineTuning.jobs.retrieve("ftjob-9")).rejects.toMatchObject({ status: 404 });
  const refused = client.fineTuning.jobs.create({ model: "other", training_file: file.id });
  await expect(refused).rejects.toBeInstanceOf(APIError);
});

describe("the endpoint", () => {
  test("brings the same to the same end, and what comes back is what we know of it", async () => {
    const endpoint = await start({ pageSize: 3 });
    const file = bodyOf(await endpoint.upload("rows.jsonl", Buffer.from(ROWS)));
    expect(file).toEqual({
      ...{ id: "file-1", bytes: Buffer.byteLength(ROWS), filename: "rows.jsonl" },
      ...{ status: "processed", status_details: "" },
    });
    expect(server.files[0]).toMatchObject({ text: ROWS, purpose: "fine-tune" });
    expect(bodyOf(await endpoint.files()).data).toEqual([file]);
    const request = { model: BASE, training_file: file.id, n_epochs: 2, batch_size: 4, seed: 3, suffix: "s" };
    const created = bodyOf(await endpoint.create(request, new Set()));
    expect(created).toMatchObject({ status: "validating_files", training_file: file.id, error: null, seed: 3 });
    expect(server.jobs[0]).toMatchObject({ hyperparameters: { n_epochs: 2, batch_size: 4 }, seed: 3, suffix: "s" });
    for (let look = 0; look < 3; look++) await endpoint.job(created.id);
    const done = bodyOf(await endpoint.job(created.id));
    expect(done).toMatchObject({ status: "succeeded", fine_tuned_model: "ft:tunable:org:s:0001" });
    expect(done.hyperparameters).toMatchObject({ n_epochs: 2, batch_size: 4 });
    const events: JobEvent[] = [];
    for (let after: string | undefined; ; after = events.at(-1)!.id) {
      const page = bodyOf(await endpoint.events(created.id, after));
      events.push(...page.data);
      if (!page.has_more) break;
    }
    expect(events.map(({ metrics }) => metrics?.step)).toEqual([4, 3, 2, 1, undefined]);
    expect(bodyOf(await endpoint.checkpoints(created.id)).data).toContainEqual({
      step: 2,
      model: "ft:tunable:org::ftckpt-2",
    });
  });

  test("says hyperparameters the older way, and leaves out what a service does not know", async () => {
    const endpoint = await start({ refuses: ["method", "seed", "suffix"] });
    await endpoint.upload("rows.jsonl", Buffer.from(ROWS));
    const request = { model: BASE, training_file: "file-1", n_epochs: 5, seed: 3, suffix: "s" };
    expect(await endpoint.create(request, new Set())).toMatchObject({
      kind: "refused",
      complaint: { param: "method", message: "Unknown parameter: 'method'." },
    });
    await endpoint.create(request, new Set(["method", "seed", "suffix"]));
    expect(server.jobs[0]).toMatchObject({ hyperparameters: { n_epochs: 5 }, seed: null, suffix: null });
  });

  test("takes a failed job for an answer, and a complaint with status 200 for a refusal", async () => {
    const endpoint = await start({ fails: { code: "server_error", message: "It broke." } });
    await endpoint.upload("rows.jsonl", Buffer.from(ROWS));
    await endpoint.create({ model: BASE, training_file: "file-1", n_epochs: 1, seed: 1, suffix: "s" }, new Set());
    for (let look = 0; look < 3; look++) await endpoint.job("ftjob-0001");
    expect(bodyOf(await endpoint.job("ftjob-0001"))).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: "It broke." },
    });
    server.mischief.push({ on: /GET/, status: 200, body: '{"error": {"message": "no"}}' });
    expect(await endpoint.job("ftjob-0001")).toMatchObject({ kind: "refused", complaint: { message: "no" } });
  });

  test("calls an answer of another kind no answer", async () => {
    const endpoint = await start();
    server.mischief.push({ on: /GET/, status: 200, body: '{"object": "list", "data": [{"id": 5}]}' });
    expect(await endpoint.jobs()).toEqual({ kind: "dropped", reason: "JSON without a list of jobs in it" });
  });

  test("follows no redirect, so that neither key nor rows go elsewhere", async () => {
    const other = await startTuningServer();
    const endpoint = await start();
    server.mischief.push({ on: /POST/, status: 307, headers: { Location: `${other.baseUrl}/files` } });
    const reply = await endpoint.upload("rows.jsonl", Buffer.from(ROWS));
    expect(reply).toEqual({ kind: "redirected", status: 307, to: new URL(other.baseUrl).origin });
    expect(other.seen).toEqual([]);
    await other.close();
  });

  test("sends only the headers that are needed, with the form's own type", async () => {
    const endpoint = await start();
    await endpoint.upload("rows.jsonl", Buffer.from(ROWS));
    const { headers } = server.seen[0]!;
    expect(headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(Object.keys(headers).filter((name) => /stainless|openai/.test(name))).toEqual([]);
  });
});
