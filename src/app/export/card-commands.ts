/** @file How an exported model is asked in its format: commands and lines that can be copied from its card. */

import { shellWord } from "../../base/shell-word.ts";
import { type CardFacts, QUESTION } from "./card-facts.ts";
import type { FormatName } from "./formats.ts";
import { block, code, quoted } from "./markdown.ts";

/** The first prompt of a study that can be shown. */
interface Asking {
  prompt: string;
  base: CardFacts["base"];
  name: string;
}

/** Paragraphs. */
export function howToAsk({ to, base, name, tasks }: CardFacts): string[] {
  const prompt = tasks.find((one) => one.prompt !== undefined)?.prompt ?? QUESTION;
  const labels = tasks.some(({ answer }) => answer?.kind === "label")
    ? "Labels want temperature 0: at a higher one the answer is drawn by chance. "
    : "";
  const fields = prompt === QUESTION ? "" : "Put your own text in place of the fields in braces.";
  const first = `${labels}${fields}`.trim();
  return [...(first === "" ? [] : [first]), ...WAYS[to]({ prompt, base, name })];
}

const WAYS: Record<FormatName, (asking: Asking) => string[]> = {
  hf: ({ prompt }) => [
    "With transformers, in this folder:",
    block(transformers(['model = AutoModelForCausalLM.from_pretrained(".")'], prompt), "python"),
    "With mixtune, as a server with OpenAI's API:",
    block(`mixtune serve . --name model\n${chatRequest(8000, prompt)}`, "sh"),
  ],
  peft: ({ prompt, base }) => {
    const [name = "", ...revision] = base.name.split("@");
    const at = revision.length === 0 ? "" : `, revision=${quoted(revision.join("@"))}`;
    return [
      "With transformers and PEFT, in this folder:",
      block(
        transformers(
          [
            `base = AutoModelForCausalLM.from_pretrained(${quoted(name)}${at})${base.kind === "hub" ? "" : "  # put your folder of it here"}`,
            'model = PeftModel.from_pretrained(base, ".")',
          ],
          prompt,
          "from peft import PeftModel",
        ),
        "python",
      ),
    ];
  },
  gguf: ({ prompt }) => [
    "With llama.cpp:",
    block(`llama-server -m model.gguf --jinja --port 8080\n${chatRequest(8080, prompt)}`, "sh"),
    `With node-llama-cpp's ${code("LlamaChatSession")}, empty the history first: otherwise the chat wrapper begins with a system turn, which the model was not trained on. Without a chat template of its own the model then reads ${code("\\n\\n")} in front of the prompt.`,
    block(
      [
        "const session = new LlamaChatSession({ contextSequence: context.getSequence() });",
        "session.setChatHistory([]);",
        `console.log(await session.prompt(${quoted(prompt)}, { temperature: 0 }));`,
      ].join("\n"),
      "js",
    ),
  ],
  ollama: ({ prompt, name }) => {
    const request = {
      model: name,
      stream: false,
      options: { temperature: 0 },
      messages: [{ role: "user", content: prompt }],
    };
    return [
      "With Ollama, in this folder:",
      block(`ollama create ${shellWord(name)} -f Modelfile\n${curl("http://127.0.0.1:11434/api/chat", request)}`, "sh"),
      `${code(`ollama run ${name}`)} talks to it in the terminal; ${code("/set parameter temperature 0")} there comes first.`,
    ];
  },
  onnx: ({ prompt }) => [
    "With ONNX Runtime, in this folder:",
    block(
      [
        "import numpy, onnxruntime",
        "from transformers import AutoTokenizer, GenerationConfig",
        'tokenizer = AutoTokenizer.from_pretrained(".")',
        'ends = numpy.atleast_1d(GenerationConfig.from_pretrained(".").eos_token_id)',
        'session = onnxruntime.InferenceSession("model.onnx")',
        `turns = [{"role": "user", "content": ${quoted(prompt)}}]`,
        "text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)",
        'ids = tokenizer(text, add_special_tokens=False)["input_ids"]',
        "begin = len(ids)",
        "while len(ids) < begin + 32 and (len(ids) == begin or ids[-1] not in ends):",
        "    row = numpy.array([ids], dtype=numpy.int64)",
        '    feeds = {"input_ids": row, "attention_mask": numpy.ones_like(row), "position_ids": numpy.arange(len(ids))[None]}',
        '    ids.append(int(session.run(["logits"], feeds)[0][0, -1].argmax()))',
        "print(tokenizer.decode(ids[begin:], skip_special_tokens=True))",
      ].join("\n"),
      "python",
    ),
  ],
};

function transformers(open: readonly string[], prompt: string, ...imports: string[]): string {
  return [
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    ...imports,
    'tokenizer = AutoTokenizer.from_pretrained(".")',
    ...open,
    `turns = [{"role": "user", "content": ${quoted(prompt)}}]`,
    'asked = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)',
    "ids = model.generate(**asked, do_sample=False, max_new_tokens=32)",
    'print(tokenizer.decode(ids[0, asked["input_ids"].shape[1] :], skip_special_tokens=True))',
  ].join("\n");
}

function chatRequest(port: number, prompt: string): string {
  const request = { model: "model", temperature: 0, max_tokens: 32, messages: [{ role: "user", content: prompt }] };
  return curl(`http://127.0.0.1:${port}/v1/chat/completions`, request);
}

function curl(url: string, request: object): string {
  return `curl ${url} -H 'Content-Type: application/json' -d ${shellWord(quoted(request))}`;
}
