import { describe, expect, test } from "vitest";
import type { Message } from "../../specs/message.ts";
import { chatSession } from "./chat-session.ts";

/** A partner that says what it was told, with room for so many messages, and what the screen showed. */
async function conversation(lines: readonly string[], { room = 100, system }: { room?: number; system?: string } = {}) {
  const told: string[] = [];
  const shown: string[] = [];
  let numReady = 0;
  let numRead = 0;
  const each = async function* () {
    for (const line of lines) {
      numRead++;
      yield line;
    }
  };
  const said = (messages: readonly Message[]) => messages.map(({ role, content }) => `${role[0]}:${content}`).join(" ");
  await chatSession(
    each(),
    {
      fits: (messages) => messages.length <= room && messages.every(({ content }) => content.length < 50),
      answer: async (messages, onText) => {
        told.push(said(messages));
        const text = `re ${messages.at(-1)!.content}`;
        for (const piece of text.split(/(?= )/)) onText(piece);
        return { text, stopped: "end" };
      },
    },
    {
      write: (piece) => shown.push(piece),
      say: (text) => shown.push(`[${text}]`),
      answered: (message, { text }, numDropped) => shown.push(`(${message}/${text}/${numDropped})`),
      ready: () => numReady++,
    },
    system,
  );
  return { told, shown, numReady, numRead };
}

describe("a conversation", () => {
  test("tells the model all that was said, and shows the answer as it comes", async () => {
    const { told, shown, numReady } = await conversation(["one", "two"]);
    expect(told).toEqual(["u:one", "u:one a:re one u:two"]);
    expect(shown).toEqual(["re", " one", "(one/re one/0)", "re", " two", "(two/re two/0)"]);
    expect(numReady).toBe(3);
  });

  test("begins with what the system says, also after /clear", async () => {
    const { told } = await conversation(["one", "/clear", "two"], { system: "Be kind." });
    expect(told).toEqual(["s:Be kind. u:one", "s:Be kind. u:two"]);
  });

  test.each([4, 5])(
    "forgets the oldest turns, whole ones, when the context is full (%i messages), and says so",
    async (room) => {
      const { told, shown } = await conversation(["1", "2", "3", "4"], { room, system: "S" });
      expect(told).toEqual(["s:S u:1", "s:S u:1 a:re 1 u:2", "s:S u:2 a:re 2 u:3", "s:S u:3 a:re 3 u:4"]);
      const said = "[The context is full: the oldest 2 messages are forgotten.]";
      expect(shown.filter((text) => text.startsWith("["))).toEqual([said, said]);
      expect(shown).toContain("(3/re 3/2)");
    },
  );

  test("refuses a message that does not fit even alone, and continues without it", async () => {
    const { told, shown } = await conversation(["1", "x".repeat(60), "2"]);
    expect(shown.join()).toMatch(/leaves no room for an answer/);
    expect(told).toEqual(["u:1", "u:1 a:re 1 u:2"]);
  });

  test("ends at /exit, and passes over empty lines and unknown commands", async () => {
    const { told, shown, numRead } = await conversation(["", "  ", "/quit", " one ", "/exit", "two"]);
    expect(told).toEqual(["u:one"]);
    expect(shown[0]).toMatch(/\/quit is no command: \/clear .* \/exit/);
    expect(numRead).toBe(5);
  });

  test("takes messages of several lines, and says in /help how", async () => {
    const lines = ["a\\", " b\\", "", '"""c', "/exit", 'd"""', '"""e"""', "/help", "f\\"];
    const { told, shown } = await conversation(lines, { room: 1 });
    expect(told).toEqual(["u:a\n b", "u:c\n/exit\nd", "u:e", "u:f"]);
    expect(shown.join()).toMatch(/backslash .* """/);
  });

  test("takes a message that only begins with a slash", async () => {
    expect((await conversation(["/tmp/x is full"])).told).toEqual(["u:/tmp/x is full"]);
  });
});
