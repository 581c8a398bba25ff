/** @file Who may ask: the right Host, no page of another site, the key where one is set. */

import { createHash, timingSafeEqual } from "node:crypto";
import { foreignHeader, type Site } from "../../http/own-site.ts";
import { ApiError } from "./api-error.ts";

/**
 * Refuses a request whose Host is not this server's, or that comes from a page of another site.
 * @throws {ApiError} 403
 */
export function checkSite(header: (name: string) => string | undefined, site: Site): void {
  const [host, origin] = [header("host"), header("origin")];
  const foreign = foreignHeader(site, { host, origin });
  if (foreign === "host") {
    throw new ApiError(403, `Host: expected a name of this server, got ${shortened(host ?? "")}.`, {
      code: "wrong_host",
    });
  }
  if (foreign === "origin") {
    throw new ApiError(403, `Origin: expected no page of another site, got ${shortened(origin ?? "")}.`, {
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

function shortened(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
