import { describe, expect, test } from "vitest";
import type { Context } from "../../cli/context.ts";
import { torchOptionsOf } from "../../cli/options/torch.ts";
import { type RayFlags, rayOf } from "./open-ray.ts";

const context = { settings: {} } as Context;

describe("the flags of --worker ray", () => {
  test.each([
    [{}, "--address: expected the address of Ray's dashboard, got nothing."],
    [{ address: "http://127.0.0.1:9" }, "--storage: expected where this computer and the cluster meet, got nothing."],
    [{ address: "ray://head:10001", storage: "/x" }, "--address: expected the address of Ray's dashboard"],
    [{ address: "http://127.0.0.1:9", storage: "s3://a:b@c" }, "--storage: expected a folder, or a URI"],
  ] satisfies [RayFlags, string][])("are all asked for: %j", async (flags, message) => {
    await expect(rayOf({ worker: "ray", ...flags }, torchOptionsOf({}), "study", context)).rejects.toThrow(message);
  });

  test.each(["address", "storage", "detach"])("are refused where they would be ignored: --%s", async (name) => {
    const flags = { [name]: "1" } as RayFlags;
    await expect(rayOf({ worker: "torch", ...flags }, torchOptionsOf({}), "study", context)).rejects.toThrow(
      `--${name}: expected --worker ray beside it`,
    );
    expect(await rayOf({ worker: "torch" }, torchOptionsOf({}), "study", context)).toBeUndefined();
  });
});
