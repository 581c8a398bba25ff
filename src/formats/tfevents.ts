/**
 * @file TensorBoard's event files: scalars and texts by step, each event a record with masked CRC-32C.
 * @source tensorflow/tensorboard compat/proto/event.proto, summary.proto, tensor.proto; record format of tensorflow core/lib/io/record_writer
 */

import { bytesField, doubleField, floatField, intField, message, stringField } from "./protobuf.ts";

/** What happened at a step. */
export interface TensorboardEvent {
  step: number;
  /** Seconds since the epoch. */
  wallTime: number;
  /** By tag. */
  scalars?: Readonly<Record<string, number>>;
  /** By tag; shown as Markdown. */
  texts?: Readonly<Record<string, string>>;
}

const DT_STRING = 7;
const DATA_CLASS_TENSOR = 2;

/** A whole file; its name must hold `tfevents`. */
export function encodeTfevents(events: readonly TensorboardEvent[]): Uint8Array {
  const version = message([doubleField(1, events[0]?.wallTime ?? 0), stringField(3, "brain.Event:2")]);
  return Buffer.concat([version, ...events.map(encodeEvent)].map(record));
}

function encodeEvent({ step, wallTime, scalars = {}, texts = {} }: TensorboardEvent): Uint8Array {
  const values = [
    ...Object.entries(scalars).map(([tag, value]) => message([stringField(1, tag), floatField(2, value)])),
    ...Object.entries(texts).map(([tag, text]) => textValue(tag, text)),
  ];
  const summary = message(values.map((value) => bytesField(1, value)));
  // note: a step of 0 is the default, which protobuf leaves out
  return message([doubleField(1, wallTime), ...(step === 0 ? [] : [intField(2, step)]), bytesField(5, summary)]);
}

function textValue(tag: string, text: string): Uint8Array {
  const shape = bytesField(2, bytesField(2, intField(1, 1)));
  const tensor = message([intField(1, DT_STRING), shape, stringField(8, text)]);
  const metadata = message([bytesField(1, stringField(1, "text")), intField(4, DATA_CLASS_TENSOR)]);
  return message([stringField(1, tag), bytesField(8, tensor), bytesField(9, metadata)]);
}

/** Length, its checksum, bytes, their checksum. */
function record(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  const checksum = (of: Uint8Array) => {
    const out = Buffer.alloc(4);
    out.writeUInt32LE(maskedCrc32c(of));
    return out;
  };
  return Buffer.concat([length, checksum(length), bytes, checksum(bytes)]);
}

/** Rotated and shifted, since a checksum of bytes that hold their own checksum is no good one. */
function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC32C[(crc ^ byte) & 255]!;
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Castagnoli's polynomial, reflected. */
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
