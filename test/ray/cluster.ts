/** @file A real Ray on this machine: two nodes of one processor each, with token authentication. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rayJobs } from "../../src/workers/ray-jobs.ts";

export interface TestCluster {
  address: string;
  token: string;
  /** Where there is an S3, with a bucket named `bucket`: as the environment of those who use it says. */
  s3: Record<string, string>;
  /** Whether a process was started by the second node. */
  isOfSecondNode(process: { parent: number }): boolean;
  /** Kills the second node's raylet; those that watch it bring the rest of the node down. */
  loseNode(): void;
  stop(): Promise<void>;
}

const START_MS = 120_000;

/** @param python  an interpreter beside which `ray` lies */
export async function startCluster(python: string): Promise<TestCluster> {
  // Sockets lie in them: short paths. Nodes unpack packages there: one folder each, as on machines of their own.
  const [folder, second] = [mkdtempSync("/tmp/mixray-"), mkdtempSync("/tmp/mixray-")] as const;
  const token = "0123456789abcdef".repeat(4);
  const bin = dirname(python);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: folder,
    RAY_AUTH_MODE: "token",
    RAY_AUTH_TOKEN: token,
    RAY_USAGE_STATS_ENABLED: "0",
  };
  const [gcs, dashboard, bucket, ...agents] = await Promise.all([0, 0, 0, 0, 0].map(freePort));
  const s3 = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${bucket}`,
    AWS_ACCESS_KEY_ID: "made-up",
    AWS_SECRET_ACCESS_KEY: "made-up",
    AWS_DEFAULT_REGION: "us-east-1",
  };
  const store = spawn(join(bin, "moto_server"), ["-H", "127.0.0.1", "-p", `${bucket}`], { env, stdio: "ignore" });
  const complaints: string[] = [];
  const start = (...args: string[]): ChildProcess => {
    const common = ["--block", "--num-cpus", "1", "--object-store-memory", "80000000", "--disable-usage-stats"];
    const child = spawn(join(bin, "ray"), ["start", ...common, "--node-ip-address", "127.0.0.1", ...args], {
      env: { ...env, ...s3 },
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => complaints.push(String(text)));
    child.once("error", ({ message }) => complaints.push(message));
    return child;
  };
  const agent = (i: number) => ["--dashboard-agent-listen-port", `${agents[i]}`];
  const head = ["--head", "--port", `${gcs}`, "--dashboard-host", "127.0.0.1", "--dashboard-port", `${dashboard}`];
  const nodes = [start(...head, "--temp-dir", folder, ...agent(0))];
  const address = `http://127.0.0.1:${dashboard}`;
  const jobs = rayJobs({ url: address, token });
  const has = async (count: number): Promise<void> => {
    const limit = Date.now() + START_MS;
    while ((await jobs.cluster().catch(() => ({ nodes: 0 }))).nodes < count) {
      if (Date.now() > limit || nodes.some(({ pid, exitCode }) => pid === undefined || exitCode !== null))
        throw new Error(`Ray did not start:\n${complaints.join("").slice(-3000)}`);
      await sleep(500);
    }
  };
  await has(1);
  nodes.push(start("--address", `127.0.0.1:${gcs}`, "--temp-dir", second, ...agent(1)));
  await has(2);
  const made = spawnSync(python, ["-c", "import s3fs; s3fs.S3FileSystem().mkdir('bucket')"], {
    env: { ...env, ...s3 },
  });
  if (made.status !== 0) throw new Error(`no bucket: ${made.stderr}`);
  const [raylet] = processes(/\/raylet --/).filter(({ parent }) => parent === nodes[1]!.pid);
  return {
    ...{ address, token, s3 },
    isOfSecondNode: ({ parent }) => parent === raylet!.pid,
    loseNode: () => void process.kill(raylet!.pid, "SIGKILL"),
    stop: async () => {
      const ended = nodes.map((node) => (node.exitCode === null ? new Promise((done) => node.once("exit", done)) : 0));
      for (const node of [...nodes, store]) node.kill("SIGTERM");
      await Promise.all(ended);
      for (const one of [folder, second]) rmSync(one, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Processes of this machine whose command line matches, the title that Ray gives a worker included. */
export function processes(pattern: RegExp): { pid: number; parent: number }[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      if (!pattern.test(command)) return [];
      const [, parent] = /\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, "utf8"))!;
      return [{ pid: Number(name), parent: Number(parent) }];
    } catch {
      return []; // ended meanwhile
    }
  });
}
