/** @file What the environment says. The only place that reads it. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { HubSettings } from "../hub/types.ts";

/** Settings that come from the environment. */
export interface Settings {
  /** MIXTUNE_DATA: folder of local copies of catalogue data. */
  dataRoot: string | undefined;
  /** MIXTUNE_THREADS: intra-op threads of a run; part of the run id. */
  threads: number | undefined;
  /** MIXTUNE_CACHE, else mixtune in XDG_CACHE_HOME or ~/.cache: what can be made again. */
  cacheDir: string;
  /** Where ONNX Runtime keeps a device id and events to send while its telemetry is on; undefined on Windows, where it keeps no files. */
  telemetryDir: string | undefined;
  /** HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, with the meanings that huggingface_hub gives them. */
  hub: HubSettings;
  /** OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID, as OpenAI's packages read them. */
  openai: OpenAiSettings;
  /** MIXTUNE_API_KEY: what requests to mixtune serve must carry. */
  apiKey: string | undefined;
  /** MIXTUNE_PYTHON: the interpreter of the PyTorch worker. */
  python: string | undefined;
  /** What of the environment the PyTorch worker sees: never a key or a token. */
  workerEnvironment: Record<string, string>;
  /** What mixtune setup passes to pip and uv besides: proxies and indexes. */
  installerEnvironment: Record<string, string>;
  /** RAY_AUTH_TOKEN: of a Ray cluster with token authentication, as Ray itself reads it. */
  rayToken: string | undefined;
  /** Of the environment, what fsspec's packages find a store's credentials by: for the process that opens --storage alone. */
  storageEnvironment: Record<string, string>;
  /** NO_COLOR and CI: no rewritten lines. */
  isPlain: boolean;
  /** CI: nobody is there to be asked. */
  isCi: boolean;
}

/** Of hosted models; keys come from the environment only. */
export interface OpenAiSettings {
  apiKey?: string;
  baseUrl?: string;
  organisation?: string;
}

/** The public hub, as its own documentation names it. */
const PUBLIC_HUB = "https://huggingface.co";

/** What finding programs, libraries, devices and temporary folders takes; NCCL_… besides, how GPUs talk to one another. */
const WORKER_SEES = [
  ...["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT"],
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_HOME", "ROCR_VISIBLE_DEVICES"],
  ...["CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"],
  ...["XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"],
];

const INSTALLERS_SEE = /^(PIP_.*|UV_.*|https?_proxy|no_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE)$/i;

const STORAGE_SEES =
  /^(AWS_.*|GOOGLE_.*|AZURE_.*|FSSPEC_.*|https?_proxy|no_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE)$/i;

type Environment = Readonly<Record<string, string | undefined>>;

export function readSettings(environment: Environment = process.env): Settings {
  const threads = Number(environment.MIXTUNE_THREADS);
  return {
    dataRoot: environment.MIXTUNE_DATA || undefined,
    threads: Number.isInteger(threads) && threads > 0 ? threads : undefined,
    cacheDir: environment.MIXTUNE_CACHE || join(userCache(environment), "mixtune"),
    telemetryDir: telemetryDir(environment),
    hub: hubSettings(environment),
    openai: openAiSettings(environment),
    apiKey: environment.MIXTUNE_API_KEY || undefined,
    python: environment.MIXTUNE_PYTHON || undefined,
    workerEnvironment: only(environment, (name) => WORKER_SEES.includes(name) || name.startsWith("NCCL_")),
    installerEnvironment: only(environment, (name) => INSTALLERS_SEE.test(name)),
    rayToken: environment.RAY_AUTH_TOKEN?.trim() || undefined,
    storageEnvironment: only(environment, (name) => STORAGE_SEES.test(name)),
    isPlain: Boolean(environment.NO_COLOR) || Boolean(environment.CI) || environment.TERM === "dumb",
    isCi: Boolean(environment.CI),
  };
}

function userCache(environment: Environment): string {
  return environment.XDG_CACHE_HOME || join(homedir(), ".cache");
}

/** @source onnxruntime-node 1.30.0 as it behaves, and device_id.cc of microsoft/onnxruntime: a relative XDG_CACHE_HOME counts as none */
function telemetryDir(environment: Environment): string | undefined {
  if (process.platform === "win32") return undefined;
  const cache = isAbsolute(environment.XDG_CACHE_HOME ?? "") ? userCache(environment) : join(homedir(), ".cache");
  const home = process.platform === "darwin" ? join(homedir(), "Library", "Application Support") : cache;
  return join(home, "Microsoft", "DeveloperTools", ".onnxruntime");
}

/** @source huggingface_hub constants.py and utils/_auth.py: names, defaults and their order */
function hubSettings(environment: Environment): HubSettings {
  const home = expanded(environment.HF_HOME) || join(userCache(environment), "huggingface");
  const tokenFile = expanded(environment.HF_TOKEN_PATH) || join(home, "token");
  const token = environment.HF_TOKEN || environment.HUGGING_FACE_HUB_TOKEN || textOf(tokenFile);
  return {
    endpoint: (environment.HF_ENDPOINT || PUBLIC_HUB).replace(/\/+$/, ""),
    token: token?.trim() || undefined,
    cacheDir: expanded(environment.HF_HUB_CACHE) || expanded(environment.HUGGINGFACE_HUB_CACHE) || join(home, "hub"),
    isOffline: /^(1|on|yes|true)$/i.test(environment.HF_HUB_OFFLINE || environment.TRANSFORMERS_OFFLINE || ""),
  };
}

function openAiSettings(environment: Environment): OpenAiSettings {
  const named = { apiKey: "OPENAI_API_KEY", baseUrl: "OPENAI_BASE_URL", organisation: "OPENAI_ORG_ID" };
  const given = Object.entries(named).map(([key, name]) => [key, environment[name]?.trim()]);
  return Object.fromEntries(given.filter(([, value]) => value));
}

function only(environment: Environment, isSeen: (name: string) => boolean): Record<string, string> {
  const seen = Object.entries(environment).filter(([name, value]) => value !== undefined && isSeen(name));
  return Object.fromEntries(seen) as Record<string, string>;
}

function expanded(path: string | undefined): string | undefined {
  return path?.replace(/^~(?=\/|$)/, homedir());
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
