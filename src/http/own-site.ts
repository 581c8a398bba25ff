/** @file Who may ask a server of this machine: no name that was turned to its address (DNS rebinding), no page of another site. */

import { isIP } from "node:net";

/** Names of the loopback interface in a Host header. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
/** Addresses that mean every interface. */
const EVERYWHERE = ["0.0.0.0", "::"];

/** Where a server is. */
export interface Site {
  /** What it is bound to. */
  boundTo: string;
  /** This machine's name, by which a server may be reached that is bound to every interface. */
  machine?: string;
}

/** The headers that say from where a request comes. */
export interface Origins {
  host?: string | undefined;
  origin?: string | undefined;
}

/** Whether only this machine reaches a server that is bound to this. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(bracketed(host)) || /^127\./.test(host);
}

/** The header that shows a request to come from elsewhere: Host is no name of the server, Origin a page of another site. */
export function foreignHeader(
  { boundTo, machine }: Site,
  { host = "", origin }: Origins,
): "host" | "origin" | undefined {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  const isOwn = LOOPBACK.includes(name) || name === bracketed(boundTo).toLowerCase();
  // An address is no name that could be turned to another.
  const isAddress = isIP(name.replace(/^\[|\]$/g, "")) !== 0;
  const isReached = EVERYWHERE.includes(boundTo) && (isAddress || name === machine?.toLowerCase());
  if (!isOwn && !isReached) return "host";
  const isElsewhere = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
  return isElsewhere ? "origin" : undefined;
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
