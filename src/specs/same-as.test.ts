import { expect, test } from "vitest";
import { z } from "zod";
import { sameAs } from "./same-as.ts";

interface Point {
  x: number;
  y?: number;
  tags: string[];
  weights: Record<string, number>;
  shape: { kind: "dot" | "line"; color: string } | { kind: "none" };
}

const members = {
  x: z.number(),
  y: z.number().optional(),
  tags: z.array(z.string()),
  weights: z.record(z.string(), z.number()),
  shape: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("dot"), color: z.string() }),
    z.strictObject({ kind: z.literal("line"), color: z.string() }),
    z.strictObject({ kind: z.literal("none") }),
  ]),
};
const { y: _, ...withoutY } = members;

test("a schema that agrees with its type is returned as it is; one that does not agree does not compile", () => {
  const schema = z.strictObject(members);
  expect(sameAs<Point>()(schema)).toBe(schema);
  sameAs<Point>()(z.looseObject(members));
  // @ts-expect-error: a member of the type is missing
  sameAs<Point>()(z.looseObject(withoutY));
  // @ts-expect-error: a member that the type does not have
  sameAs<Point>()(z.looseObject({ ...members, z: z.number().optional() }));
  // @ts-expect-error: required here, optional there
  sameAs<Point>()(z.looseObject({ ...members, y: z.number() }));
  // @ts-expect-error: optional here, required there
  sameAs<Point>()(z.looseObject({ ...members, x: z.number().optional() }));
  // @ts-expect-error: null is no number
  sameAs<Point>()(z.looseObject({ ...members, x: z.number().nullable() }));
  // @ts-expect-error: another kind of value in a record
  sameAs<Point>()(z.looseObject({ ...members, weights: z.record(z.string(), z.string()) }));
  // @ts-expect-error: one of the kinds is missing
  sameAs<Point>()(z.looseObject({ ...members, shape: z.strictObject({ kind: z.literal("none") }) }));
});
