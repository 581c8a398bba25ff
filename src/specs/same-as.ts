/** @file Schemas of records whose types are written by hand: the compiler compares the two, member by member. */

import type { z } from "zod";

/**
 * Requires a schema to accept exactly the records of a type: the same members, the same ones optional. Otherwise the call does not compile.
 *
 *     const point = sameAs<Point>()(z.strictObject({ x: z.number(), y: z.number().optional() }));
 *
 * @returns the schema as it is
 */
export function sameAs<T>(): <S extends z.ZodType>(schema: S & Agreement<S, T>) => S {
  return (schema) => schema;
}

/** `unknown` where schema and type agree, so that an intersection with it changes nothing. */
export type Agreement<S extends z.ZodType, T> = [Plain<z.output<S>>, Plain<T>] extends [Plain<T>, Plain<z.output<S>>]
  ? unknown
  : { "schema and type disagree": [schema: Plain<z.output<S>>, type: Plain<T>] };

/**
 * A record type in a form in which assignability both ways means sameness. An optional member stands in a box, so that it differs from a required
 * one and from none. The index signature of a loose object goes, as does the `undefined` that zod adds to optional members.
 */
type Plain<T> = T extends object
  ? T extends readonly unknown[]
    ? { [I in keyof T]: Plain<T[I]> }
    : {
        [K in keyof T as string extends K ? (unknown extends T[K] ? never : K) : K]-?: Record<
          never,
          unknown
        > extends Pick<T, K>
          ? { optional: Plain<Exclude<T[K], undefined>> }
          : Plain<T[K]>;
      }
  : T;
