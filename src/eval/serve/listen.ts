/** @file The server on its socket, and how it stops: no new requests, those that were taken are answered, within a limit. */

import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { listening } from "../../http/listening.ts";
import type { GenerationQueue } from "./queue.ts";

export interface Listening {
  port: number;
  /**
   * Stops.
   * @param limitMs  given to the answers that were asked for
   * @returns whether all of them were given
   */
  stop(limitMs: number): Promise<boolean>;
}

/** Connections at a time; each may have one request in the queue, which refuses by itself. */
const MAX_CONNECTIONS = 2048;
/** Longer than clients keep a connection that they may use again. */
const KEEP_ALIVE_MS = 75_000;
/** After answers are written or given up: to see them off. */
const LAST_BYTES_MS = 2000;

const OTHER_ADDRESS = { expected: "an address that is free", remedy: "Give another options.port or options.host." };

/**
 * @param port  0: any that is free
 * @throws {SpecError} an address that cannot be had
 */
export async function listen(app: Hono, queue: GenerationQueue, host: string, port: number): Promise<Listening> {
  const server = createAdaptorServer({ fetch: app.fetch, hostname: host }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const taken = await listening(server, host, port, OTHER_ADDRESS);
  return {
    port: taken,
    stop: async (limitMs) => {
      let isClosed = false;
      const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(() => {
        isClosed = true;
      });
      queue.stop();
      const inTime = await before(limitMs, queue.idle());
      if (!inTime) queue.abandon();
      await queue.idle();
      const seenOff = async () => {
        while (!isClosed) {
          server.closeIdleConnections();
          await sleep(20);
        }
      };
      await before(LAST_BYTES_MS, seenOff());
      server.closeAllConnections();
      await closed;
      return inTime;
    },
  };
}

/** Whether something happened in time. */
async function before(limitMs: number, happened: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(limitMs, false, { signal: timer.signal }).catch(() => false);
  const inTime = await Promise.race([happened.then(() => true), late]);
  timer.abort();
  return inTime;
}
