import { expect, test } from "vitest";
import { SpecError } from "../../base/errors.ts";
import { type TorchFlags, torchOptionsOf } from "./torch.ts";

test("a run's GPUs and compiled blocks are a matter of workers that may have some", () => {
  expect(torchOptionsOf({})).toEqual({ gpus: undefined, compile: false });
  expect(torchOptionsOf({ worker: "torch", gpus: "8" })).toEqual({ gpus: 8, compile: false });
  expect(torchOptionsOf({ worker: "ray", gpus: "0", compile: true })).toEqual({ gpus: 0, compile: true });
});

test.each([
  [{ gpus: "2" }, "--gpus: expected --worker torch or --worker ray beside it, got --worker local."],
  [{ worker: "hosted", gpus: "1" }, "got --worker hosted."],
  [{ compile: true }, "--compile: expected --worker torch or --worker ray beside it, got --worker local."],
  [{ worker: "torch", gpus: "-1" }, "--gpus: expected a whole number from 0 to 64, got -1."],
  [{ worker: "torch", gpus: "two" }, "got two."],
  [{ worker: "ray", gpus: "65" }, "got 65."],
] satisfies [TorchFlags, string][])("is refused: %j", (flags, message) => {
  expect(() => torchOptionsOf(flags)).toThrow(SpecError);
  expect(() => torchOptionsOf(flags)).toThrow(message);
});
