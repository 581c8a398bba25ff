import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { CALLS, CONTACTS } from "../../test/offline/commands.ts";
import { OLD_SPELLINGS } from "./options/old-spellings.ts";
import { commandLine } from "./program.ts";

const program = await commandLine(async () => {});

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

const commands = allCommands(program).map((command): [string, Command] => {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  return [names.join(" "), command];
});

/** All that `--help` prints. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (more) => (text += more) });
  command.outputHelp();
  return text;
}

test("every command is called by the test that nothing leaves the machine, or contacts another host by its nature", () => {
  const leaves = commands.filter(([, { commands: inner }]) => inner.length === 0).map(([name]) => name);
  const classified = [...Object.keys(CALLS), ...Object.keys(CONTACTS)].map((name) => `mixtune ${name}`);
  expect(leaves.sort()).toEqual(classified.sort());
  for (const [name, calls] of Object.entries(CALLS)) {
    expect(calls.length).toBeGreaterThan(0);
    for (const { words } of calls) expect(`${words.join(" ")} `).toMatch(new RegExp(`^${name} `));
  }
});

describe("help", () => {
  test("is there for every command", () => expect(commands.length).toBeGreaterThan(25));

  test.each(commands)("of %s begins with a verb, in plain words", (_, command) => {
    expect(command.description()).toMatch(/^[a-zA-Z]+ /);
    for (const { flags, description, hidden } of command.options) {
      if (hidden) continue;
      expect(`${flags}  ${description}`).toMatch(/ {2}[a-zA-Z][\w'-]+( |:|$)/);
      expect(`${flags}  ${description}`).not.toMatch(/ {2}(of|with|for|whose|where|what|in|who|how|a|an|the) /i);
    }
  });

  test.each(commands)("of %s has an example that names it", (name, command) => {
    const [, examples = ""] = helpOf(command).split(/Examples?:/);
    expect(examples).toContain(name);
  });

  test("groups the options of a study under headings", () => {
    const help = helpOf(commands.find(([name]) => name === "mixtune run")![1]);
    const headings = ["Output:", "Training:", "PyTorch:", "Ray:", "Hosted models:"];
    expect(headings.map((heading) => help.indexOf(`\n${heading}\n`)).every((at) => at > 0)).toBe(true);
    expect(help).toMatch(/Hosted models:\n(.*\n)*?.*--yes +confirm payment for the fine-tuning jobs listed/);
  });

  test("of the program loads no command, so that it is quick; a command loads itself", async () => {
    const names = (one: Command) => one.options.filter(({ hidden }) => !hidden).length;
    const bare = await commandLine(async () => {}, ["--help"]);
    expect(bare.commands.map(names).every((number) => number === 0)).toBe(true);
    expect(bare.commands.map((one) => one.name())).toEqual(program.commands.map((one) => one.name()));
    const asked = await commandLine(async () => {}, ["--json", "run", "study.yaml"]);
    expect(asked.commands.filter((one) => names(one) > 0).map((one) => one.name())).toEqual(["run"]);
  });

  test("of plan offers no consent: it sends nothing and pays for nothing", () => {
    expect(helpOf(commands.find(([name]) => name === "mixtune plan")![1])).not.toMatch(/--yes|--allow-hosted/);
  });
});

describe("an old spelling", () => {
  test.each(OLD_SPELLINGS.map((one): [string, (typeof OLD_SPELLINGS)[number]] => [`${one.command} ${one.flags}`, one]))(
    "%s is refused with what to write instead",
    async (_, { command, flags, remedy }) => {
      let text = "";
      let isRun = false;
      const words = [command, flags.split(" ")[0]!, ...(flags.includes("<") ? ["x"] : []), "y", "z"];
      const act = async () => {
        isRun = true;
      };
      const line = await commandLine(act, words);
      for (const one of allCommands(line)) one.exitOverride().configureOutput({ writeErr: (more) => (text += more) });
      const option = flags.split(" ")[0]!;
      await expect(line.parseAsync(words, { from: "user" })).rejects.toThrow(option);
      expect(text).toContain(`mixtune ${command} has no option ${option}. ${remedy}`);
      expect(isRun).toBe(false);
    },
  );

  test("names a command and options that exist", () => {
    const named = OLD_SPELLINGS.flatMap(({ remedy }) => [...remedy.matchAll(/mixtune (\w+) DIR(.*)/g)]);
    for (const [, name, rest] of named) {
      const command = program.commands.find((one) => one.name() === name);
      expect(command, name).toBeDefined();
      const options = [...rest!.matchAll(/--[a-z-]+/g)].map(([flag]) => flag);
      expect(command?.options.map(({ long }) => long)).toEqual(expect.arrayContaining(options));
    }
  });
});
