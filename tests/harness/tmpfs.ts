// A disk that gets full: the data directory on a small file system of its own, seen by the program alone.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this machine lets us mount one. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'folkmoot-mount-'));
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Keeps the configuration, and a ballast that can be taken out later to make room.
const SCRIPT = `
  set -e
  configuration=$(cat "$1/folkmoot.conf")
  mount -t tmpfs -o "size=$2" tmpfs "$1"
  printf '%s\\n' "$configuration" >"$1/folkmoot.conf"
  head -c 4000000 /dev/zero >"$1/ballast"
  shift 2
  exec "$@"
`;

/** Runs a command with `data` on a file system of that size. */
export const onSmallDisk =
  (data: string, size: string) =>
  (command: string[]): string[] => ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', SCRIPT, 'sh', data, size, ...command];

/** Makes room on the disk of a running program. */
export function makeRoom(pid: number, data: string): void {
  rmSync(join(`/proc/${pid}/root`, data, 'ballast'));
}
