import { describe, expect, test } from "vitest";
import { foreignHeader, isLoopback } from "./own-site.ts";

function isLetIn(boundTo: string, headers: { host: string; origin?: string }): boolean {
  return foreignHeader({ boundTo, machine: "Desk-3" }, headers) === undefined;
}

describe("Host", () => {
  test.each(["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LocalHost"])(
    "%s is this machine",
    (host) => expect(isLetIn("127.0.0.1", { host })).toBe(true),
  );

  test.each([
    "",
    "evil.example",
    "localhost.evil.example:8000",
    "192.168.1.7",
    "localhost@evil.example",
    "127.0.0.1.nip.example",
    "desk-3",
  ])("%s is not", (host) => expect(isLetIn("127.0.0.1", { host })).toBe(false));

  test("is what the server is bound to", () => {
    expect(isLetIn("192.168.1.7", { host: "192.168.1.7:8000" })).toBe(true);
    expect(isLetIn("192.168.1.7", { host: "192.168.1.8:8000" })).toBe(false);
    expect(isLetIn("fd00::7", { host: "[fd00::7]:8000" })).toBe(true);
    expect(isLetIn("Office.example", { host: "office.example" })).toBe(true);
  });

  test.each(["0.0.0.0", "::"])(
    "on every interface (%s) is any address and this machine's name, and no other name",
    (boundTo) => {
      for (const host of ["10.1.2.3:8000", "[fd00::1]", "desk-3:8000", "localhost"])
        expect(isLetIn(boundTo, { host })).toBe(true);
      for (const host of ["evil.example", "desk-3.evil.example", "10.1.2.3.evil.example"])
        expect(isLetIn(boundTo, { host })).toBe(false);
    },
  );
});

test("says which header is foreign", () => {
  const site = { boundTo: "127.0.0.1" };
  expect(foreignHeader(site, {})).toBe("host");
  expect(foreignHeader(site, { host: "evil.example", origin: "http://evil.example" })).toBe("host");
  expect(foreignHeader(site, { host: "localhost", origin: "http://evil.example" })).toBe("origin");
});

test("a machine without a name is not reached by the name undefined", () => {
  expect(foreignHeader({ boundTo: "0.0.0.0" }, { host: "undefined" })).toBe("host");
  expect(foreignHeader({ boundTo: "0.0.0.0" }, { host: "10.1.2.3" })).toBeUndefined();
});

test("Origin may be this server's own pages only", () => {
  const host = "127.0.0.1:8000";
  expect(isLetIn("127.0.0.1", { host, origin: "http://127.0.0.1:8000" })).toBe(true);
  for (const origin of [
    "http://127.0.0.1:8001",
    "http://localhost:8000",
    "null",
    "",
    "http://127.0.0.1:8000.evil.example",
  ])
    expect(isLetIn("127.0.0.1", { host, origin })).toBe(false);
});

test("loopback is this machine alone", () => {
  expect(["localhost", "127.0.0.1", "127.8.8.8", "::1"].map(isLoopback)).toEqual([true, true, true, true]);
  expect(["0.0.0.0", "::", "192.168.1.7", "12.7.0.1"].map(isLoopback)).toEqual([false, false, false, false]);
});
