/** @file Server-sent events: their text, and a stream of them as the body of an answer. */

/** The media type. */
export const EVENT_STREAM = "text/event-stream; charset=utf-8";

/** An event. @param data  one line */
export function eventText(data: string): string {
  return `data: ${data}\n\n`;
}

/** Asks a client to come back so long after the stream broke off. */
export function retryText(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** Events that are sent as they happen. */
export interface EventStream {
  body: ReadableStream<Uint8Array>;
  send(data: string): void;
  /** Nothing is sent any more. */
  end(): void;
}

/** @param onCancel  the client went away */
export function eventStream(onCancel: () => void): EventStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let isOpen = true;
  return {
    body: new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
      cancel: () => {
        isOpen = false;
        onCancel();
      },
    }),
    send: (data) => {
      if (isOpen) controller.enqueue(encoder.encode(eventText(data)));
    },
    end: () => {
      if (isOpen) controller.close();
      isOpen = false;
    },
  };
}
