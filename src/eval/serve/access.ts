/** @file Who may ask: the right Host, no page of another site, the key where one is set. */

import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { ApiError } from "./api-error.ts";

/** Names of the loopback interface in a Host header. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
/** Addresses that mean every interface. */
const EVERYWHERE = ["0.0.0.0", "::"];

/** Whether only this machine reaches a server that is bound to this. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(bracketed(host)) || /^127\./.test(host);
}

/**
 * Refuses a request whose Host is not this server's (a page whose name was turned to this address; DNS rebinding) or that comes from a page of
 * another site.
 *
 * @param boundTo    what the server is bound to
 * @param machine    this machine's name, by which it may be reached where it is bound to every interface
 * @throws {ApiError} 403
 */
export function checkSite(header: (name: string) => string | undefined, boundTo: string, machine: string): void {
  const host = header("host") ?? "";
  const name = host.replace(/:\d*$/, "").toLowerCase();
  const isOwn = LOOPBACK.includes(name) || name === bracketed(boundTo).toLowerCase();
  // an address is no name that could be turned to another
  const isAddress = isIP(name.replace(/^\[|\]$/g, "")) !== 0;
  if (!isOwn && !(EVERYWHERE.includes(boundTo) && (isAddress || name === machine.toLowerCase()))) {
    throw new ApiError(403, `Host: expected a name of this server, got ${shortened(host)}.`, { code: "wrong_host" });
  }
  const origin = header("origin");
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new ApiError(403, `Origin: expected no page of another site, got ${shortened(origin)}.`, {
      code: "wrong_origin",
    });
  }
}

/**
 * Refuses a request without the key.
 * @throws {ApiError} 401
 */
export function checkKey(authorization: string | undefined, apiKey: string): void {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  // digests have one length, so that the comparison takes one time
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(digest(given), digest(apiKey))) return;
  const got = given === "" ? "none" : "another one";
  throw new ApiError(401, `Authorization: expected "Bearer" and this server's API key, got ${got}.`, {
    code: "invalid_api_key",
  });
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function shortened(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
