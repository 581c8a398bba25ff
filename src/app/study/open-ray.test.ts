import { expect, test } from "vitest";
import type { Workspace } from "../workspace.ts";
import { openRay } from "./open-ray.ts";
import type { RayOptions } from "./worker-kind.ts";

const workspace = { settings: {} } as Workspace;

test.each([
  [{}, "options.address: expected the address of Ray's dashboard, got nothing."],
  [
    { address: "http://127.0.0.1:9" },
    "options.storage: expected where this computer and the cluster meet, got nothing.",
  ],
  [{ address: "ray://head:10001", storage: "/x" }, "address: expected the address of Ray's dashboard"],
  [{ address: "http://127.0.0.1:9", storage: "s3://a:b@c" }, "storage: expected a folder, or a URI"],
] satisfies [RayOptions, string][])("a cluster needs address and storage: %j", async (options, message) => {
  await expect(openRay({ worker: "ray", ray: options }, "study", workspace)).rejects.toThrow(message);
});
