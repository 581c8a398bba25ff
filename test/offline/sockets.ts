/** @file What a trace of system calls says of a program's sockets. */

/** What strace follows: calls that open a socket or name the other end of one. */
export const TRACED = "socket,bind,connect,sendto,sendmsg,sendmmsg";

export interface Sockets {
  /** Sockets that were opened, by address family. */
  opened: Record<string, number>;
  /** Lines of the trace that reach past this machine, or ask for the address of a name. */
  forbidden: string[];
}

/** @param trace  what `strace -f -e trace=…` wrote of {@link TRACED} */
export function socketsIn(trace: string): Sockets {
  const opened: Record<string, number> = {};
  const forbidden: string[] = [];
  for (const line of trace.split("\n")) {
    const [, family, type] = /\bsocket\((AF_\w+|PF_\w+|0x\w+|\d+), (SOCK_\w+)?/.exec(line) ?? [];
    if (family !== undefined) opened[family] = (opened[family] ?? 0) + 1;
    const isOpenedWell = family === undefined || mayOpen(family, type);
    if (!isOpenedWell || !addressesIn(line).every(isLoopback) || isNameService(line)) forbidden.push(line);
  }
  return { opened, forbidden };
}

/** Streams between programs of this machine, and the kernel's tables. Of the internet's datagrams none: names are looked up by them. */
function mayOpen(family: string, type: string | undefined): boolean {
  if (/^AF_INET6?$/.test(family)) return type === "SOCK_STREAM";
  return family === "AF_UNIX" || family === "AF_NETLINK";
}

function addressesIn(line: string): string[] {
  return [...line.matchAll(/inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]*)"/g)].map(([, address]) => address!);
}

function isLoopback(address: string): boolean {
  return /^(127\.|::ffff:127\.)/.test(address) || address === "::1";
}

/** Resolvers on this machine ask others: by port 53, or by a socket of nscd, systemd-resolved or avahi. An nscd that is not there is asked for users, too. */
function isNameService(line: string): boolean {
  return /htons\(53\)|sun_path="[^"]*(nscd.*(?<!ENOENT.*)$|resolve|avahi)/i.test(line);
}
