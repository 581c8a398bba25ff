import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { rayJobs, rayUrl } from "./ray-jobs.ts";

/** Asks a server that gives one answer to everything; what it was asked comes back. */
async function asked(status: number, body: string, use: (url: string) => Promise<unknown>) {
  const requests: { path: string; headers: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url!, headers: request.headers });
    response.writeHead(status, { location: "http://127.0.0.1:9/elsewhere" }).end(body);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as { port: number };
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    server.close();
  }
  return requests;
}

describe("the address of a cluster", () => {
  test("is a URL without a slash at its end", () => {
    expect(rayUrl("http://head:8265/")).toBe("http://head:8265");
    expect(rayUrl("https://rays.example/one/")).toBe("https://rays.example/one");
  });

  test.each(["head:8265", "ray://head:10001", "http://head:8265/?a=b", ""])(
    "of another form is refused: %s",
    (text) => {
      expect(() => rayUrl(text)).toThrow(/^options\.address: expected the address of Ray's dashboard/);
    },
  );

  test("with a password is refused, and the password not repeated", () => {
    expect(() => rayUrl("http://me:secret@head:8265")).toThrow(/RAY_AUTH_TOKEN/);
    expect(() => rayUrl("http://me:secret@head:8265")).not.toThrow(/secret/);
  });
});

describe("a request to Ray", () => {
  test("carries the token, and nothing by which Ray would take it for a browser's", async () => {
    const requests = await asked(200, "[]", (url) => rayJobs({ url, token: "abc" }).jobs());
    expect(requests).toEqual([
      { path: "/api/jobs/", headers: expect.objectContaining({ authorization: "Bearer abc" }) },
    ]);
    const names = Object.keys(requests[0]!.headers);
    expect(names.filter((name) => /^(sec-|origin$|referer$|user-agent$)/.test(name))).toEqual([]);
  });

  test.each([
    [401, "no", /expected the token of this cluster in RAY_AUTH_TOKEN, got another \(status 401\)/],
    [302, "", /expected that Ray does as asked, got 302/],
    [500, "Traceback\nValueError: no room", /got 500: ValueError: no room/],
    [200, "<html>", /expected an answer of Ray's dashboard, got <html>/],
  ])("that is answered by %i %s says what to do", async (status, body, message) => {
    const requests = await asked(status, body, async (url) => {
      await expect(rayJobs({ url, token: "abc" }).jobs()).rejects.toThrow(message);
    });
    expect(requests).toHaveLength(1);
  });
});
