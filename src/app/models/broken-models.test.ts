import { expect, test } from "vitest";
import { breakModels } from "../../../test/support/broken-models.ts";

test("a damaged model folder is refused by name, or is a model all the same", async () => {
  expect(await breakModels(150)).toBeGreaterThan(0);
});
