import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { SpecError } from "../base/errors.ts";
import { listening } from "./listening.ts";

const OTHERWISE = { expected: "an address that is free", remedy: "Give another." };

function server() {
  const made = createServer();
  onTestFinished(() => void made.close());
  return made;
}

test("port 0 is any that is free, and a port that is taken is said to be", async () => {
  const port = await listening(server(), "127.0.0.1", 0, OTHERWISE);
  expect(port).toBeGreaterThan(0);
  const again = listening(server(), "127.0.0.1", port, OTHERWISE);
  await expect(again).rejects.toThrow(SpecError);
  await expect(again).rejects.toThrow(
    `127.0.0.1, port ${port}: expected an address that is free, got one that another server has.`,
  );
});

test("an address of another machine is said to be one", async () => {
  await expect(listening(server(), "192.0.2.1", 0, OTHERWISE)).rejects.toThrow(/got one that is not this machine's/);
});
