import { unwatchFile, watchFile } from "node:fs";

const LOOK_EVERY_MS = 1_000;

/**
 * Calls back when the file at the path is another one than before: written, replaced by a rename, made or removed. By
 * looking once a second, because editors, volumes of Kubernetes and network disks each tell changes in their own way, or
 * not at all. Does not keep the process alive.
 */
export function watchPath(path: string, onChange: () => void): () => void {
  const listener = (now: { mtimeMs: number; size: number; ino: number }, before: typeof now): void => {
    if (now.mtimeMs !== before.mtimeMs || now.size !== before.size || now.ino !== before.ino) onChange();
  };
  watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, listener);
  return () => unwatchFile(path, listener);
}
