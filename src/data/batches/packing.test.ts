import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Rng } from "../../base/rng.ts";
import type { LabelPack, Pack, TokenizedExample } from "../types.ts";
import { forEachLabel, type PackOptions, packExamples, packLabels, packShapes } from "./packing.ts";
import { verifyLabelPack, verifyPack } from "./verify-pack.ts";

const ids = (min: number, max: number) => fc.array(fc.integer({ min: 1, max: 3 }), { minLength: min, maxLength: max });
const heads = [[], [7, 7, 8], [7, 7, 8, 9, 9, 9, 9, 9], [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]];

/** Examples of few distinct ids and with common heads, so that prefixes are shared often and equal tokens cannot hide a mistake for long. */
const examplesArb = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), ids(1, 12), ids(1, 5), fc.uniqueArray(fc.nat(20), { maxLength: 4 }))
    .map(([head, tail, answer, places]) => withSpans(example([...heads[head]!, ...tail], answer), places)),
  { minLength: 1, maxLength: 24 },
);
const optionsArb: fc.Arbitrary<PackOptions> = fc.record({
  packing: fc.constantFrom("isolated" as const, "contaminated" as const, "none" as const),
  sharePrefix: fc.boolean(),
  maxTokens: fc.integer({ min: 8, max: 300 }),
  lossOn: fc.constantFrom("answer" as const, "all_answers" as const, "all" as const),
});

function example(prompt: number[], answer: number[]): TokenizedExample {
  return { id: "x", prompt: Int32Array.from(prompt), answer: Int32Array.from(answer) };
}

/** Earlier answers between these places, as far as the prompt has them. */
function withSpans(one: TokenizedExample, places: readonly number[]): TokenizedExample {
  const inside = places.filter((place) => place > 0 && place <= one.prompt.length).sort((a, b) => a - b);
  return { ...one, spans: Int32Array.from(inside.slice(0, inside.length & ~1)) };
}

function numTokens(packs: readonly Pack[]): number {
  return packs.reduce((sum, pack) => sum + pack.ids.length, 0);
}

const training: PackOptions = { packing: "isolated", sharePrefix: true, maxTokens: 256, lossOn: "answer" };

describe("packExamples", () => {
  test("loses, doubles and leaks no token, whatever the examples and options", () => {
    fc.assert(
      fc.property(examplesArb, optionsArb, (examples, options) => {
        verifyPack(packExamples(examples, options), examples, options);
      }),
      { numRuns: 500 },
    );
  });

  test("has packs of the shapes that are told without laying them out", () => {
    fc.assert(
      fc.property(examplesArb, optionsArb, (examples, options) => {
        const laid = packExamples(examples, options).map((pack) => {
          const { numPrefixes, prefixLen, numRows, rowLen, lossRows } = pack;
          return { numPrefixes, prefixLen, numRows, rowLen, numLossRows: lossRows.length };
        });
        expect(packShapes(examples, options)).toEqual(laid);
      }),
    );
    const document = [example([], [4, 5, 6, 7])];
    expect(packShapes(document, training)[0]!.numLossRows).toBe(3);
  });

  test("packs documents, whose first token nothing predicts", () => {
    const documents = [example([], [4, 5, 6, 7]), example([], [8, 9])];
    for (const packing of ["isolated", "contaminated", "none"] as const) {
      const packs = packExamples(documents, { ...training, packing });
      verifyPack(packs, documents, { packing, lossOn: "answer" });
      expect(packs.flatMap((pack) => [...pack.targets]).sort()).toEqual([5, 6, 7, 9]);
    }
  });

  test("stays within maxTokens unless a single example is longer", () => {
    fc.assert(
      fc.property(examplesArb, optionsArb, (examples, options) => {
        for (const pack of packExamples(examples, options)) {
          const single = new Set(pack.example).size === 1;
          const cost = options.packing === "contaminated" ? pack.ids.length - 1 - 3 : pack.ids.length;
          if (!single) expect(cost).toBeLessThanOrEqual(options.maxTokens);
        }
      }),
    );
  });

  test("never feeds more tokens with sharing than without", () => {
    fc.assert(
      fc.property(examplesArb, optionsArb, (examples, options) => {
        const shared = packExamples(examples, { ...options, sharePrefix: true });
        expect(numTokens(shared)).toBeLessThanOrEqual(
          numTokens(packExamples(examples, { ...options, sharePrefix: false })),
        );
      }),
    );
  });

  test("encodes a long shared instruction once", () => {
    const instruction = Array.from({ length: 60 }, (_, i) => 100 + i);
    const examples = Array.from({ length: 16 }, (_, i) => example([...instruction, i, i + 1, i + 2], [50, 0]));
    const packs = packExamples(examples, { ...training, maxTokens: 4096 });
    expect(packs).toHaveLength(1);
    expect(packs[0]).toMatchObject({ numPrefixes: 1, prefixLen: 60, numRows: 16, rowLen: 4 });
    expect(numTokens(packs)).toBe(60 + 16 * 4);
  });

  test("gives each of two instructions its own prefix in one pack", () => {
    const instruction = (from: number) => Array.from({ length: 40 }, (_, i) => from + i);
    const examples = Array.from({ length: 20 }, (_, i) =>
      example([...instruction(i % 2 ? 100 : 200), i, 1, 2], [50, 0]),
    );
    const packs = packExamples(examples, { ...training, maxTokens: 4096 });
    verifyPack(packs, examples, training);
    expect(packs).toHaveLength(1);
    expect(packs[0]).toMatchObject({ numPrefixes: 2, prefixLen: 40, numRows: 20, rowLen: 4 });
  });

  test("does not share where padding would cost more than it saves", () => {
    const examples = [example([1, 2, 3], [5, 0]), example([1, 9, 9], [5, 0])];
    const packs = packExamples(examples, training);
    expect(packs[0]?.prefixLengths).toEqual(Int32Array.of(0));
  });

  test("fills rows with several short examples beside a long one, each seeing only itself", () => {
    const examples = [example(new Array(30).fill(3), [4, 0]), ...[1, 2, 3, 4].map((i) => example([i, i, i], [4, 0]))];
    const packs = packExamples(examples, { ...training, sharePrefix: false });
    expect(packs[0]).toMatchObject({ numRows: 2, rowLen: 32 });
    verifyPack(packs, examples, training);
  });

  test("does not depend on anything but its arguments", () => {
    fc.assert(
      fc.property(examplesArb, optionsArb, (examples, options) => {
        expect(packExamples(structuredClone(examples), { ...options })).toEqual(packExamples(examples, options));
      }),
      { numRuns: 50 },
    );
  });

  test("contaminated rows run on: later examples see earlier ones and positions do not restart", () => {
    const examples = [example([1, 2], [3, 0]), example([4, 5], [6, 0])];
    const [pack] = packExamples(examples, { ...training, packing: "contaminated" });
    expect([...(pack as Pack).ids.subarray(1, 8)]).toEqual([1, 2, 3, 0, 4, 5, 6]);
    expect([...(pack as Pack).positions.subarray(1, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...(pack as Pack).lossRows].map((n) => n - 1)).toEqual([1, 2, 5, 6]);
  });
});

describe("packLabels", () => {
  const labelsArb = fc
    .array(ids(1, 4), { minLength: 1, maxLength: 5 })
    .map((list) => list.map((l) => Int32Array.from(l)));

  test("scores every label of every prompt once, without a leak between labels", () => {
    fc.assert(
      fc.property(
        examplesArb,
        labelsArb,
        fc.boolean(),
        fc.integer({ min: 8, max: 300 }),
        (prompts, labels, sharePrefix, maxTokens) => {
          verifyLabelPack(
            packLabels(prompts, () => labels, { sharePrefix, maxTokens }),
            prompts,
            () => labels,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test("feeds one token per label less than the label has", () => {
    const labels = [Int32Array.of(7, 0), Int32Array.of(8, 9, 0)];
    const packs = packLabels([example([1, 2, 3], [])], () => labels, { sharePrefix: true, maxTokens: 100 });
    const pack = packs[0]!;
    expect([...pack.ids.subarray(1)]).toEqual([1, 2, 3, 7, 8, 9, 0, 0]);
    expect([...pack.positions.subarray(1, 7)]).toEqual([0, 1, 2, 3, 3, 4]);
    expect([...pack.lossRows].map((n) => n - 1)).toEqual([2, 3, 2, 4, 5]);
    expect([...pack.targets]).toEqual([7, 0, 8, 9, 0]);
    expect([...pack.label]).toEqual([-1, 0, -1, -1, 1]);
    expect([...pack.before]).toEqual([-1, 0, -1, 2, 3]);
  });

  test("feeds and predicts once what labels begin with alike, in whatever order they come", () => {
    const labels = [Int32Array.of(8, 9, 0), Int32Array.of(8, 0), Int32Array.of(7, 0), Int32Array.of(8, 9, 5, 0)];
    const prompts = [example([1, 2, 3], [])];
    const packs = packLabels(prompts, () => labels, { sharePrefix: true, maxTokens: 100 });
    verifyLabelPack(packs, prompts, () => labels);
    const pack = packs[0]!;
    expect([...pack.ids.subarray(1)]).toEqual([1, 2, 3, 7, 8, 9, 5, 0]);
    expect([...pack.targets]).toEqual([7, 0, 8, 0, 9, 0, 5, 0]);
    const sums = new Map<number, number>();
    forEachLabel(pack, [1, 2, 4, 8, 16, 32, 64, 128], (_, label, sum) => sums.set(label, sum));
    expect(Object.fromEntries(sums)).toEqual({ 0: 4 + 16 + 32, 1: 4 + 8, 2: 1 + 2, 3: 4 + 16 + 64 + 128 });
  });

  test("labels that are alike, or that others begin with, are each scored", () => {
    const labels = [Int32Array.of(8, 9), Int32Array.of(8), Int32Array.of(8, 9), Int32Array.of(8, 9, 5)];
    const prompts = [example([1, 2, 3], []), example([1, 2, 4, 5], [])];
    const packs = packLabels(prompts, () => labels, { sharePrefix: true, maxTokens: 100 });
    verifyLabelPack(packs, prompts, () => labels);
  });

  test("lays a thousand labels in rows of some hundred tokens, which cost a token for each of their beginnings", () => {
    const rng = new Rng("labels");
    const words = Array.from({ length: 77 }, () => Array.from({ length: 1 + rng.int(3) }, () => 1 + rng.int(500)));
    const labels = Array.from({ length: 1200 }, (_, i) =>
      Int32Array.from([...words[i % 77]!, ...words[Math.floor(i / 77)]!, ...words[rng.int(77)]!, 0]),
    );
    const prompts = [1, 2, 3].map((last) => example([...Array(40).keys(), last], []));
    const packs = packLabels(prompts, () => labels, { sharePrefix: true, maxTokens: 2048 });
    verifyLabelPack(packs, prompts, () => labels);
    const beginnings = new Set(labels.flatMap((ids) => Array.from(ids.slice(1), (_, n) => ids.slice(0, n + 1).join())));
    expect(numTokens(packs)).toBeLessThan(1.15 * prompts.length * beginnings.size);
    expect(Math.max(...packs.map(({ rowLen }) => rowLen))).toBeLessThan(300);
  });
});

describe("verifyPack", () => {
  const instruction = Array.from({ length: 20 }, (_, i) => 100 + i);
  const long = example([...instruction, 1, 2, 3, 4, 5, 6, 7, 8, 9], [41, 42, 0]);
  const examples = [long, ...[11, 12, 13].map((i) => example([...instruction, i, i + 20], [40, 0]))];
  const packs = packExamples(examples, training);
  const damaged = (damage: (pack: Pack) => void): Pack[] => {
    const copy = structuredClone(packs);
    damage(copy[0] as Pack);
    return copy;
  };
  const check = (damage: (pack: Pack) => void) => () => verifyPack(damaged(damage), examples, training);
  const at = (pack: Pack, b: number, s: number, k: number) =>
    (b * pack.rowLen + s) * (pack.prefixLen + pack.rowLen) + k;

  test("accepts the undamaged pack, which shares a prefix and fills a row with several examples", () => {
    expect(packs).toHaveLength(1);
    expect(packs[0]).toMatchObject({ numPrefixes: 1, prefixLen: 20, numRows: 2, rowLen: 12 });
    expect(check(() => {})).not.toThrow();
  });

  const damages: Record<string, (pack: Pack) => void> = {
    "a changed token": (p) => {
      p.ids[p.prefixLen + 2] = 77;
    },
    "a changed prefix token": (p) => {
      p.ids[3] = 77;
    },
    "a wrong target": (p) => {
      p.targets[0] = 77;
    },
    "a loss row on the wrong token": (p) => {
      p.lossRows[0] = (p.lossRows[0] as number) - 1;
    },
    "a loss row of another example": (p) => {
      p.example[0] = (p.example[0] as number) + 1;
    },
    "a loss row with a label": (p) => {
      p.label[0] = 0;
    },
    "a lost loss row": (p) => {
      for (const key of ["lossRows", "targets", "example", "label"] as const) p[key] = p[key].subarray(1);
    },
    "a doubled loss row": (p) => {
      for (const key of ["lossRows", "targets", "example", "label"] as const)
        p[key] = Int32Array.of(...p[key], p[key][0] as number);
    },
    "a token that sees its neighbour in the row": (p) => {
      p.visible[at(p, 1, 3, p.prefixLen + 2)] = 1;
    },
    "a token that sees the future": (p) => {
      p.visible[at(p, 0, 0, p.prefixLen + 1)] = 1;
    },
    "a token that does not see its past": (p) => {
      p.visible[at(p, 0, 4, p.prefixLen + 1)] = 0;
    },
    "a token that does not see its prefix": (p) => {
      p.visible[at(p, 0, 4, 5)] = 0;
    },
    "a token that does not see itself": (p) => {
      p.visible[at(p, 0, 4, p.prefixLen + 4)] = 0;
    },
    "padding that is seen": (p) => {
      p.visible[at(p, 0, 10, p.prefixLen + 11)] = 1;
    },
    "padding that sees": (p) => {
      p.visible[at(p, 0, 11, p.prefixLen + 2)] = 1;
    },
    "padding with an id": (p) => {
      p.ids[p.prefixLen + 11] = 5;
    },
    "positions that do not restart": (p) => {
      for (let s = 3; s < 6; s++) (p.positions[p.prefixLen + p.rowLen + s] as number)++;
    },
    "a wrong position in the prefix": (p) => {
      p.positions[4] = 9;
    },
    "a shorter prefix": (p) => {
      p.prefixLengths[0] = 19;
    },
    "a row of a prefix that is not there": (p) => {
      p.rowPrefix[1] = 1;
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(`catches ${name}`, () => expect(check(damage)).toThrow());
  }

  test("catches a pack that is missing and one that comes twice", () => {
    expect(() => verifyPack([], examples, training)).toThrow();
    expect(() => verifyPack([...packs, ...packs], examples, training)).toThrow();
  });

  test("catches a label that sees another label", () => {
    const labels = () => [Int32Array.of(7, 6, 0), Int32Array.of(8, 9, 0)];
    const prompts = [example([1, 2, 3], [])];
    const [pack] = packLabels(prompts, labels, { sharePrefix: false, maxTokens: 100 }) as [LabelPack];
    expect(() => verifyLabelPack([pack], prompts, labels)).not.toThrow();
    pack.visible[at(pack, 0, 5, pack.prefixLen + 3)] = 1;
    expect(() => verifyLabelPack([pack], prompts, labels)).toThrow();
  });

  test("catches a label whose path is another's", () => {
    const labels = () => [Int32Array.of(7, 6, 0), Int32Array.of(7, 9, 0)];
    const prompts = [example([1, 2, 3], [])];
    const [pack] = packLabels(prompts, labels, { sharePrefix: false, maxTokens: 100 }) as [LabelPack];
    expect([...pack.before]).toEqual([-1, 0, 1, 0, 3]);
    pack.before[4] = 1;
    expect(() => verifyLabelPack([pack], prompts, labels)).toThrow();
  });
});
