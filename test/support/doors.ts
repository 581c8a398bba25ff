/** @file Ways out of the machine in the files of a package: modules and globals that open connections or start programs, and native code. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

const MODULES =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'](?:node:)?(net|tls|dgram|dns|dns\/promises|https?|http2|undici|ws|child_process)["']/g;
/** As a value or a call; not as a property of something else, nor in a string. */
const GLOBALS =
  /(?<![\w.$"'`])(?:(?:globalThis|window|self)\.)?(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)(?=\s*[(.),;])/g;
const NATIVE = /\.(node|so(\.\d+)*|dylib|dll|exe)$/;

/** Names of the doors in a package's folder, packages inside it left out. Hosts that a shared library for Linux x64 names are `native: HOST`. */
export function doorsOf(folder: string): string[] {
  const found = new Set<string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const parts = relative(folder, path).split(sep);
    if (!entry.isFile() || parts.includes("node_modules")) continue;
    if (NATIVE.test(entry.name)) {
      found.add("native");
      if (/linux.x64/.test(path)) for (const host of hostsIn(path)) found.add(`native: ${host}`);
    } else if (/\.[cm]?js$/.test(entry.name)) {
      const text = readFileSync(path, "utf8");
      for (const kind of [MODULES, GLOBALS]) for (const [, name] of text.matchAll(kind)) found.add(name!);
    }
  }
  return [...found].sort();
}

function hostsIn(path: string): string[] {
  return [...readFileSync(path, "latin1").matchAll(/https?:\/\/([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)/g)].map(
    ([, host]) => host!,
  );
}
