import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { openEndpoint } from "./endpoint.ts";
import { type Standing, standingOf } from "./standing.ts";

let close: () => void = () => {};
afterEach(() => close());

/** A service with these answers to GET, by path; 404 for others. */
async function standing(model: string, answers: Record<string, unknown>): Promise<Standing> {
  const server = createServer((req, res) => {
    const answer = answers[req.url ?? ""];
    res.writeHead(answer === undefined ? 404 : 200, { "Content-Type": "application/json" });
    res.end(JSON.stringify(answer ?? { error: { message: "Not found" } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return standingOf(openEndpoint({ baseUrl, api: "chat", timeoutMs: 5000 }), model);
}

const listing = (...data: object[]) => ({ "/v1/models": { object: "list", data } });

describe("a model's end", () => {
  /** Entries as the services document them; the fields that are not read are left out. */
  test.each<[string, object, object]>([
    ["OpenAI", { shutdown_date: "2027-01-14" }, { date: "2027-01-14", from: Date.UTC(2027, 0, 15), kind: "shutdown" }],
    [
      "Mistral",
      { deprecation: "2026-08-31T12:00:00Z", deprecation_replacement_model: "m-3-5" },
      { date: "2026-08-31T12:00:00Z", from: Date.UTC(2026, 7, 31, 12), kind: "deprecated", replacement: "m-3-5" },
    ],
    [
      "OpenRouter",
      { expiration_date: "2026-12-31" },
      { date: "2026-12-31", from: Date.UTC(2027, 0, 1), kind: "deprecated" },
    ],
    ["Groq", { active: false }, { date: "", from: Number.NEGATIVE_INFINITY, kind: "shutdown" }],
  ])("is read as %s writes it", async (_, fields, end) => {
    expect(await standing("m", listing({ id: "other" }, { id: "m", ...fields }))).toEqual({ kind: "listed", end });
  });

  test.each([
    {},
    { shutdown_date: null },
    { deprecation: null, deprecation_replacement_model: null },
    { active: true },
  ])("is none where an entry says %j", async (fields) => {
    expect(await standing("m", listing({ id: "m", ...fields }))).toEqual({ kind: "listed" });
  });

  test("is that of the entry that a name is an alias or a variant of", async () => {
    const data = listing(
      { id: "m-2508", aliases: ["m-latest"], deprecation: "2026-08-31" },
      { id: "a/b", expiration_date: "2026-12-31" },
    );
    expect(await standing("m-latest", data)).toMatchObject({ end: { date: "2026-08-31" } });
    expect(await standing("a/b:nitro", data)).toMatchObject({ end: { date: "2026-12-31" } });
  });
});

describe("a model", () => {
  test("is unknown where it is neither in the list nor known by its name", async () => {
    expect(await standing("m", listing({ id: "m-2" }))).toEqual({ kind: "unknown", names: ["m-2"] });
  });

  test("that the list leaves out is asked for by its name", async () => {
    const own = { "/v1/models/ft:m:me": { id: "ft:m:me", shutdown_date: "2027-01-14" } };
    expect(await standing("ft:m:me", { ...listing({ id: "m" }), ...own })).toMatchObject({
      end: { date: "2027-01-14" },
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["has no list", {}],
    ["has an empty one", listing()],
    ["has one of another form", { "/v1/models": { models: "many" } }],
    ["answers with an error", { "/v1/models": { error: "no" } }],
  ])("of a service that %s is not spoken of", async (_, answers) => {
    expect(await standing("m", answers)).toEqual({ kind: "unsaid" });
  });

  test("is found in a bare list, as Together has it", async () => {
    expect(await standing("m", { "/v1/models": [{ id: "m" }] })).toEqual({ kind: "listed" });
  });

  test("of a service out of reach is not spoken of", async () => {
    const endpoint = openEndpoint({ baseUrl: "http://127.0.0.1:9/v1", api: "chat", timeoutMs: 5000 });
    expect(await standingOf(endpoint, "m")).toEqual({ kind: "unsaid" });
  });
});
