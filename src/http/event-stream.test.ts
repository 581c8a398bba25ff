import { expect, test } from "vitest";
import { eventStream } from "./event-stream.ts";

test("events arrive in order, and nothing after the end", async () => {
  const { body, send, end } = eventStream(() => {});
  send("one");
  send("two");
  end();
  send("late");
  end();
  expect(await new Response(body).text()).toBe("data: one\n\ndata: two\n\n");
});

test("a client that goes away is noticed once, and sending to it is no fault", async () => {
  let numGone = 0;
  const { body, send, end } = eventStream(() => numGone++);
  const reader = body.getReader();
  send("one");
  await reader.read();
  await reader.cancel();
  send("two");
  end();
  expect(numGone).toBe(1);
});
