/** @file The live report on the loopback interface: a page, its data, and news as server-sent events. Answers GET and HEAD; nothing can be changed through it. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { EVENT_STREAM, eventText, retryText } from "../http/event-stream.ts";
import { listening } from "../http/listening.ts";
import { foreignHeader } from "../http/own-site.ts";
import { liveHtml } from "./html.ts";
import type { LiveStudy } from "./live.ts";
import type { LiveNews } from "./live-data.ts";

export interface ReportServer {
  url: string;
  /** Ends connections at once. */
  stop(): Promise<void>;
}

const ADDRESS = "127.0.0.1";
const OTHER_PORT = { expected: "a port that is free", remedy: "Give another options.port, or 0 for any that is free." };
/** Pages that are open, several times over. */
const MAX_CONNECTIONS = 128;
/** A dropped stream is taken up again after so long. */
const RETRY_MS = 2000;
/** With every answer. A page of another site may neither show nor read any. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/**
 * @param port  0: any that is free
 * @throws {SpecError} a port that cannot be had
 */
export async function serveReport(study: LiveStudy, port: number): Promise<ReportServer> {
  let page = { version: "", html: "" };
  const server = createServer((request, response) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refuse(request, response, ...refusal);
    const path = request.url?.split("?")[0];
    if (path === "/events") return stream(study, request, response);
    if (path === "/report.json") return send(request, response, "application/json; charset=utf-8", study.json);
    if (path !== "/") return refuse(request, response, 404, "no such place on this server");
    if (page.version !== study.version) page = { version: study.version, html: liveHtml(study.data, study.version) };
    send(request, response, "text/html; charset=utf-8", page.html);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const taken = await listening(server, ADDRESS, port, OTHER_PORT);
  return {
    url: `http://${ADDRESS}:${taken}/`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Status and reason of a request that is not answered: one that writes, or that a page of another site may have sent. */
function refusalOf({ method, headers }: IncomingMessage): [number, string] | undefined {
  const foreign = foreignHeader({ boundTo: ADDRESS }, headers);
  if (foreign === "host") return [403, "Host: expected a name of the loopback interface"];
  if (foreign === "origin") return [403, "Origin: expected no page of another site"];
  if (method !== "GET" && method !== "HEAD") return [405, `${method}: only GET and HEAD are answered`];
  return undefined;
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, reason: string): void {
  if (status === 405) response.setHeader("allow", "GET, HEAD");
  response.statusCode = status;
  // What of a body was not read is not waited for.
  response.setHeader("connection", "close");
  send(request, response, "text/plain; charset=utf-8", `${reason}\n`);
}

function send({ method }: IncomingMessage, response: ServerResponse, type: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(response.statusCode, { ...HEADERS, "content-type": type, "content-length": bytes.length });
  response.end(method === "HEAD" ? undefined : bytes);
}

function stream(study: LiveStudy, { method }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { ...HEADERS, "content-type": EVENT_STREAM });
  if (method === "HEAD") {
    response.end();
    return;
  }
  response.write(retryText(RETRY_MS));
  const stop = study.listen((news: LiveNews) => {
    response.write(eventText(JSON.stringify(news)));
  });
  response.on("close", stop);
}
