/**
 * @file The schema that Arrow's writers keep in a Parquet file's footer (key `ARROW:schema`), as far as Parquet itself does not say it: the zone of a
 * time, the unit of a duration. It is a FlatBuffers message in base64; only the way to these two is read.
 *
 * Sources: Apache Arrow, format/Schema.fbs and Message.fbs; FlatBuffers, binary format.
 */

/** A field of the schema, with the fields in it. */
export interface ArrowField {
  name: string;
  /** Of a time with a zone: its name, or its offset from UTC. */
  zone?: string;
  /** Of a duration: how many of its units are a second. */
  perSecond?: bigint;
  children: ArrowField[];
}

/** Numbers of Schema.fbs. */
const SCHEMA_HEADER = 1;
const TIMESTAMP = 10;
const DURATION = 18;
/** By Arrow's TimeUnit: seconds, milliseconds, microseconds, nanoseconds. */
const PER_SECOND = [1n, 1_000n, 1_000_000n, 1_000_000_000n] as const;
/** TimeUnit of a duration that does not say it. */
const MILLISECOND = 1;
/** A schema of more fields than this is none. */
const MAX_FIELDS = 100_000;

/** The top-level fields of the schema. @throws {RangeError|Error} bytes that are none */
export function arrowFields(base64: string): ArrowField[] {
  const bytes = Buffer.from(base64, "base64");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A message may have a mark in front of its length.
  const start = view.getUint32(0, true) === 0xffffffff ? 8 : 4;
  const message = tableAt(view, start);
  const schema = message.table(2);
  if (message.byte(1) !== SCHEMA_HEADER || schema === undefined) throw new Error("an Arrow message without a schema");
  let numLeft = MAX_FIELDS;
  const fieldOf = (table: Table): ArrowField => {
    if (numLeft-- === 0) throw new Error(`an Arrow schema of more than ${MAX_FIELDS} fields`);
    const [kind, type] = [table.byte(2), table.table(3)];
    const zone = kind === TIMESTAMP ? type?.text(1) : undefined;
    const perSecond = kind === DURATION ? PER_SECOND[type?.short(0) ?? MILLISECOND] : undefined;
    return {
      name: table.text(0) ?? "",
      ...(zone && { zone }),
      ...(perSecond && { perSecond }),
      children: table.tables(5).map(fieldOf),
    };
  };
  return schema.tables(1).map(fieldOf);
}

/** A FlatBuffers table; members by their number, undefined where they are not there. */
interface Table {
  byte(member: number): number | undefined;
  short(member: number): number | undefined;
  text(member: number): string | undefined;
  table(member: number): Table | undefined;
  tables(member: number): Table[];
}

/** @param at  of the offset that leads to the table */
function tableAt(view: DataView, at: number): Table {
  const start = at + view.getUint32(at, true);
  const layout = start - view.getInt32(start, true);
  const placeOf = (member: number): number | undefined => {
    const entry = 4 + 2 * member;
    const offset = entry < view.getUint16(layout, true) ? view.getUint16(layout + entry, true) : 0;
    return offset === 0 ? undefined : start + offset;
  };
  const memberOf = <T>(member: number, read: (place: number) => T): T | undefined => {
    const place = placeOf(member);
    return place === undefined ? undefined : read(place);
  };
  const list = (place: number) => {
    const from = place + view.getUint32(place, true);
    return { from: from + 4, length: view.getUint32(from, true) };
  };
  return {
    byte: (member) => memberOf(member, (place) => view.getUint8(place)),
    short: (member) => memberOf(member, (place) => view.getInt16(place, true)),
    text: (member) =>
      memberOf(member, (place) => {
        const { from, length } = list(place);
        if (from + length > view.byteLength) throw new RangeError("a text that is cut off");
        return Buffer.from(view.buffer, view.byteOffset + from, length).toString("utf8");
      }),
    table: (member) => memberOf(member, (place) => tableAt(view, place)),
    tables: (member) =>
      memberOf(member, (place) => {
        const { from, length } = list(place);
        if (from + 4 * length > view.byteLength) throw new RangeError("a list that is cut off");
        return Array.from({ length }, (_, i) => tableAt(view, from + 4 * i));
      }) ?? [],
  };
}
