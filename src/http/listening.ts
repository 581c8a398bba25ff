/** @file A server on its address, or the error that says why it cannot have it. */

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SpecError } from "../base/errors.ts";

/** Why an address cannot be had, by the code of the error. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "one that another server has",
  EACCES: "one that needs more rights",
  EADDRNOTAVAIL: "one that is not this machine's",
  ENOTFOUND: "a name that nobody knows",
};

/** What an error says of an address that cannot be had. */
export interface WhatToGive {
  expected: string;
  remedy: string;
}

/**
 * Listens.
 * @param port  0: any that is free
 * @returns the port
 * @throws {SpecError} an address that cannot be had
 */
export async function listening(server: Server, host: string, port: number, otherwise: WhatToGive): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const got = REASONS[cause.code ?? ""] ?? cause.message;
      reject(new SpecError({ place: `${host}, port ${port}`, got, ...otherwise, cause }));
    });
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
