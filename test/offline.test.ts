/** @file The reader of traces that test/offline relies on. The lines are strace's own, of Node 20 and of onnxruntime-node with its telemetry on. */

import { expect, test } from "vitest";
import { socketsIn } from "./offline/sockets.ts";

const FINE = `
10 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = 20
10 socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 20
10 bind(20, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0
11 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 21
11 bind(21, {sa_family=AF_INET, sin_port=htons(8765), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
11 connect(22, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0
11 connect(23, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)
11 sendto(21, "HTTP/1.1 200 OK", 15, MSG_NOSIGNAL, NULL, 0 <unfinished ...>
11 +++ exited with 0 +++`;

test("sockets that stay on this machine are counted", () => {
  expect(socketsIn(FINE)).toEqual({ opened: { AF_UNIX: 1, AF_NETLINK: 1, AF_INET: 1 }, forbidden: [] });
});

test.each([
  '12 connect(23, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.255.255.53")}, 16) = -1 ENETUNREACH (Network is unreachable)',
  '12 connect(23, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16 <unfinished ...>',
  '12 connect(23, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = -1',
  '12 bind(23, {sa_family=AF_INET, sin_port=htons(8000), sin_addr=inet_addr("0.0.0.0")}, 16) = 0',
  '12 connect(23, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0',
  "12 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 23",
  "12 socket(AF_PACKET, SOCK_RAW, 768) = 23",
  '12 connect(23, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = 0',
  '12 sendmsg(5, {msg_name={sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, msg_namelen=16, msg_iov=[]}, 0) = 0',
])("forbids %s", (line) => {
  expect(socketsIn(`${FINE}\n${line}`).forbidden).toEqual([line]);
});
