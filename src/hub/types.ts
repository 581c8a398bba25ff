/** @file The nouns of the hub: settings, repositories, files, and what is recorded of what was fetched. */

/** Where models and data come from and go to; the command line reads them from the environment. */
export interface HubSettings {
  /** Address of the hub, without a slash at its end. */
  endpoint: string;
  /** Sent to the endpoint's own host only; appears in no message. */
  token: string | undefined;
  /** The folder that holds `models--org--name`: shared with the Python tools. */
  cacheDir: string;
  /** Only what is in the cache. */
  isOffline: boolean;
}

export type RepoKind = "model" | "dataset";

/** A repository as a person names it. */
export interface RepoRef {
  kind: RepoKind;
  /** `org/name`. */
  id: string;
  /** Branch, tag or commit; default `main`. */
  revision?: string;
}

/** A file of a repository at a commit. */
export interface HubFile {
  /** With `/`, below the repository's root; checked: it stays below any folder that it is joined to. */
  path: string;
  bytes: number;
  /** Hexadecimal: SHA-256 (64 digits) of a large file, git's SHA-1 (40 digits) of a small one. Also the name of its blob in the cache. */
  digest: string;
}

/** A repository at one commit, which never changes. */
export interface Snapshot {
  kind: RepoKind;
  id: string;
  /** 40 hexadecimal digits. */
  commit: string;
  /** Folder of the cache that holds those of the files that are there. */
  folder: string;
  files: readonly HubFile[];
}

/** What a study keeps of what it took from the hub. */
export interface HubRecord {
  repo: string;
  /** Commit. */
  revision: string;
  /** Path to digest, of the files that were used. */
  files: Record<string, string>;
}

/** Bytes that have arrived, of all that were asked for. */
export interface FetchProgress {
  /** The file that is coming. */
  path: string;
  doneBytes: number;
  totalBytes: number;
}
