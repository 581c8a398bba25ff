import { expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import { refuseUnused, type WorkerOptions } from "./worker-kind.ts";

test.each([
  [
    { torch: { gpus: 2 } },
    "options.gpus: expected options.worker torch or options.worker ray beside it, got options.worker local.",
  ],
  [{ worker: "hosted", torch: { gpus: 1 } }, "got options.worker hosted."],
  [{ torch: { compile: true } }, "options.compile: expected options.worker torch or options.worker ray beside it"],
  [
    { worker: "torch", ray: { address: "x" } },
    "options.address: expected options.worker ray beside it, got options.worker torch.",
  ],
  [{ worker: "local", ray: { storage: "x" } }, "options.storage: expected"],
  [{ ray: { detach: true } }, "options.detach: expected"],
] satisfies [WorkerOptions, string][])("an option that would be ignored is refused: %j", (options, message) => {
  expect(() => refuseUnused(options)).toThrow(SpecError);
  expect(() => refuseUnused(options)).toThrow(message);
});

test.each([
  [{}],
  [{ worker: "torch", torch: { gpus: 8, compile: true } }],
  [{ worker: "ray", torch: { gpus: 0 }, ray: { address: "a", storage: "s", detach: true } }],
] satisfies [WorkerOptions][])("and one that counts is not: %j", (options) => {
  expect(() => refuseUnused(options)).not.toThrow();
});
