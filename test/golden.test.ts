import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

function verify(root: string): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts", "golden.js"), "verify"], {
    encoding: "utf8",
  });
  return { status, text: stdout + stderr };
}

test("every golden is as its script left it", () => {
  const { status, text } = verify(ROOT);
  expect(text).toMatch(/golden: \d+ cases, \d+ files, 0 problems/);
  expect(status).toBe(0);
});

describe("a changed golden is noticed", () => {
  const planted = (change: (folder: string) => void): ReturnType<typeof verify> => {
    const root = mkdtempSync(join(tmpdir(), "mixtune-golden-"));
    const folder = join(root, "test", "golden", "formats", "safetensors");
    mkdirSync(folder, { recursive: true });
    cpSync(join(ROOT, "scripts", "golden.js"), join(root, "scripts", "golden.js"));
    writeFileSync(join(root, "package.json"), '{"type":"module"}');
    cpSync(join(ROOT, "test", "golden", "formats", "safetensors"), folder, { recursive: true });
    change(folder);
    return verify(root);
  };

  test("and an unchanged one is not", () => expect(planted(() => {}).status).toBe(0));

  test("and one that reads files elsewhere when these change", () => {
    const reading = (change: (file: string) => void) =>
      planted((folder) => {
        const root = join(folder, "../../../..");
        const [file, provenance] = [join(root, "model.bin"), join(folder, "provenance.json")];
        writeFileSync(file, "weights");
        writeFileSync(provenance, JSON.stringify({ command: "x", reads: ["model.bin"] }));
        spawnSync(process.execPath, [join(root, "scripts", "golden.js"), "make", "-"]);
        change(file);
      });
    expect(reading(() => {}).status).toBe(0);
    for (const change of [(file: string) => appendFileSync(file, "!"), (file: string) => rmSync(file)]) {
      const { status, text } = reading(change);
      expect(text).toMatch(/safetensors reads \/model\.bin: changed since it was made/);
      expect(status).toBe(1);
    }
  });

  test.each<[string, (folder: string) => void, RegExp]>([
    ["a byte more", (folder) => appendFileSync(join(folder, "expected.json"), " "), /expected\.json: changed/],
    ["a file less", (folder) => rmSync(join(folder, "mixed.safetensors")), /mixed\.safetensors: changed/],
    ["a file more", (folder) => writeFileSync(join(folder, "new.json"), "{}"), /new\.json: changed/],
    ["no provenance", (folder) => rmSync(join(folder, "provenance.json")), /no provenance\.json/],
    [
      "no digests",
      (folder) => writeFileSync(join(folder, "provenance.json"), '{"command":"x"}'),
      /lacks command or digests/,
    ],
    ["no goldens at all", (folder) => rmSync(folder, { recursive: true }), /0 cases/],
  ])("%s", (_, change, message) => {
    const { status, text } = planted(change);
    expect(text).toMatch(message);
    expect(status).toBe(1);
  });
});
