/** @file Every way out of the machine that a runtime dependency has, and why nothing leaves by it unasked. A dependency with a new one fails here. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { doorsOf } from "./support/doors.ts";

const ROOT = join(import.meta.dirname, "..");

const DOORS: Readonly<Record<string, { doors: readonly string[]; because: string }>> = {
  "@hono/node-server": {
    doors: ["http", "http2"],
    because: "mixtune serve answers with it; it listens where --host says and asks nobody",
  },
  "@huggingface/hub": {
    doors: ["XMLHttpRequest", "fetch"],
    because: "asks the hub; it is handed the fetch of src/hub/client.ts, which is offline where that is set",
  },
  commander: {
    doors: ["child_process"],
    because: "starts subcommands that are programs of their own; mixtune has none",
  },
  "global-agent": {
    doors: ["http", "https", "net", "tls"],
    because: "loaded by the install script of onnxruntime-node alone, which .npmrc switches off",
  },
  hono: {
    doors: ["WebSocket", "fetch"],
    because: "its client and its adapters to other servers; mixtune imports the router and the limit of bodies",
  },
  hyparquet: { doors: ["fetch"], because: "reads from a URL if asked to; mixtune hands it bytes" },
  "onnxruntime-node": {
    doors: [
      ...["child_process", "https", "native"],
      "native: mobile.events.data.microsoft.com",
      // Named in texts of errors and licenses.
      ...["arxiv.org", "crbug.com", "curl.se", "dawn.googlesource.com", "devblogs.nvidia.com", "docs.nvidia.com"].map(
        native,
      ),
      ...["docs.scipy.org", "en.wikipedia.org", "github.com", "gpuweb.github.io", "huggingface.co"].map(native),
      ...["ieeexplore.ieee.org", "issues.chromium.org", "numpy.org", "papers.nips.cc", "pytorch.org"].map(native),
      ...["tinyurl.com", "www.microsoft.com", "www.opencompute.org", "www.tensorflow.org"].map(native),
    ],
    because: "its install script is switched off by .npmrc, its telemetry by src/engine/runtime/onnxruntime.ts",
  },
  openai: {
    doors: ["WebSocket", "child_process", "fetch", "undici", "ws"],
    because: "asks the service that options.baseUrl names; loaded with the first request, by src/eval/hosted alone",
  },
};

function native(host: string): string {
  return `native: ${host}`;
}

test("every door of every runtime dependency is known", () => {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const paths = Object.keys(lock.packages).filter((path) => path !== "" && !lock.packages[path]!.dev);
  expect(paths.length).toBeGreaterThan(20);
  const found = paths.map((path) => [path.replace(/^.*node_modules\//, ""), doorsOf(join(ROOT, path))] as const);
  expect(Object.fromEntries(found.filter(([, doors]) => doors.length > 0))).toEqual(
    Object.fromEntries(Object.entries(DOORS).map(([name, { doors }]) => [name, [...doors].sort()])),
  );
});

test("a door is seen in every way of opening it, and none in other words", () => {
  const folder = mkdtempSync(join(tmpdir(), "mixtune-doors-"));
  const doorsIn = (text: string) => {
    writeFileSync(join(folder, "index.js"), text);
    return doorsOf(folder);
  };
  try {
    expect(doorsIn('import{connect}from"node:net";')).toEqual(["net"]);
    expect(doorsIn('const { lookup } = await import("dns/promises");')).toEqual(["dns/promises"]);
    expect(doorsIn("const tls = require('tls')")).toEqual(["tls"]);
    expect(doorsIn("await globalThis.fetch(url); (0, fetch)(url); new WebSocket(url)")).toEqual(["WebSocket", "fetch"]);
    expect(doorsIn('import "./net"; cache.fetch(key); say("fetch (it)"); prefetch(x);')).toEqual([]);
    mkdirSync(join(folder, "linux", "x64"), { recursive: true });
    writeFileSync(join(folder, "linux", "x64", "lib.so.1"), "\0\x01https://collector.example.com/1.0\0");
    expect(doorsIn("")).toEqual(["native", "native: collector.example.com"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
