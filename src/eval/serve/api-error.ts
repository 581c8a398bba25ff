/** @file What a request is refused with: a status and OpenAI's error shape, which its clients show to people. */

import { MixtuneError } from "../../base/errors.ts";

/** Refusals, and what goes wrong. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 413 | 429 | 499 | 500 | 503;

const TYPES: Record<ErrorStatus, string> = {
  400: "invalid_request_error",
  401: "invalid_request_error",
  403: "invalid_request_error",
  404: "invalid_request_error",
  413: "invalid_request_error",
  429: "rate_limit_error",
  499: "client_closed_request",
  500: "server_error",
  503: "server_error",
};

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** Thrown where a request cannot be answered. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly body: ErrorBody;
  /** For Retry-After: seconds until it is worth another try. */
  readonly retryAfter: number | undefined;

  constructor(
    status: ErrorStatus,
    message: string,
    detail: { param?: string; code?: string; retryAfter?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.body = { error: { message, type: TYPES[status], param: detail.param ?? null, code: detail.code ?? null } };
    this.retryAfter = detail.retryAfter;
  }
}

/** What the client is told of an error. @param onFault  told of what is no refusal: a fault of this server */
export function apiErrorOf(error: unknown, onFault: (error: unknown) => void): ApiError {
  if (error instanceof ApiError) return error;
  onFault(error);
  const message = error instanceof MixtuneError ? error.message : "A fault of this server; its log says more.";
  return new ApiError(500, message);
}
