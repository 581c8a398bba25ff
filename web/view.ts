/** @file What the reader has chosen, kept in the address after #, so that a link shows the same view. */

export interface View {
  /** The choice under a key if it is one of the options, else the fallback. */
  choice(key: string, options: readonly string[], fallback: string): string;
  set(changes: Record<string, string>): void;
  /** Runs and tells which keys were asked for. */
  track(run: () => void): Set<string>;
}

/** @param onChange  called with the changed keys after every change, by the page or in the address; undefined: all of them */
export function createView(onChange: (keys: readonly string[] | undefined) => void): View {
  let state = read();
  let asked = new Set<string>();
  window.addEventListener("hashchange", () => {
    state = read();
    onChange(undefined);
  });
  return {
    choice(key, options, fallback) {
      asked.add(key);
      const value = state.get(key);
      return value !== undefined && options.includes(value) ? value : fallback;
    },
    set(changes) {
      for (const [key, value] of Object.entries(changes)) state.set(key, value);
      const address = new URLSearchParams([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
      history.replaceState(null, "", `#${address}`);
      onChange(Object.keys(changes));
    },
    track(run) {
      const outer = asked;
      asked = new Set();
      run();
      const keys = asked;
      asked = outer;
      return keys;
    },
  };
}

function read(): Map<string, string> {
  return new Map(new URLSearchParams(location.hash.slice(1)));
}
