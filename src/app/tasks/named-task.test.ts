import { describe, expect, test } from "vitest";
import { taskNamed } from "./named-task.ts";

describe("taskNamed", () => {
  test("finds a task of the study before one of the catalogue, and names the nearest where there is none", () => {
    expect(taskNamed("fpb", undefined)).toEqual({ name: "fpb", catalogue: "fpb" });
    expect(taskNamed("fpb", { fpb: { name: "fpb", max_train: 5 } })).toEqual({ name: "fpb", max_train: 5 });
    expect(() => taskNamed("headlne", undefined)).toThrow("Did you mean headline?");
  });
});
