import { expect, test } from "vitest";
import { checkKey, checkSite } from "./access.ts";

test("a request from elsewhere is refused by the header that shows it, shortened", () => {
  const check = (headers: Record<string, string>) => () =>
    checkSite((name) => headers[name], { boundTo: "127.0.0.1", machine: "desk-3" });
  expect(check({ host: "localhost:8000" })).not.toThrow();
  expect(check({ host: "evil.example" })).toThrow(/^Host: expected a name of this server, got "evil\.example"/);
  expect(check({ host: "a".repeat(200) })).toThrow(/got "a{100}"\.$/);
  expect(check({ host: "localhost", origin: "http://evil.example" })).toThrow(
    /^Origin: .*got "http:\/\/evil\.example"/,
  );
});

test("the key is compared whole", () => {
  expect(() => checkKey("Bearer abc", "abc")).not.toThrow();
  expect(() => checkKey("bearer abc", "abc")).not.toThrow();
  for (const given of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "abc",
    "Bearer ab",
    "Bearer abcd",
    "Basic abc",
    "Tokens abc",
  ])
    expect(() => checkKey(given, "abc")).toThrow(/expected "Bearer" and this server's API key, got/);
});
