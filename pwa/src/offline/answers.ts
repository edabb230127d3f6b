// What was read stays readable: the newest answers to GET requests, kept per reader.
import { empty, keepNewest, readOne, write } from './database';

const MOST = 400;
const TIDY_EVERY = 40;

interface Kept {
  url: string;
  reader: string;
  body: unknown;
  etag: string | null;
  read_at: number;
}

let writes = 0;

/** Who read it is part of the name: what one member may see is not for the next one. */
function name(reader: string, path: string): string {
  return `${reader} ${path}`;
}

export async function keepAnswer(reader: string, path: string, body: unknown, etag: string | null): Promise<void> {
  try {
    const kept: Kept = { url: name(reader, path), reader, body, etag, read_at: Date.now() };
    await write('answers', kept);
    if (++writes % TIDY_EVERY === 0) await keepNewest('answers', 'read_at', MOST);
  } catch {
    // A browser that keeps nothing still reads.
  }
}

export async function keptAnswer(
  reader: string,
  path: string,
): Promise<{ body: unknown; etag: string | null } | undefined> {
  try {
    return await readOne<Kept>('answers', name(reader, path));
  } catch {
    return undefined;
  }
}

export async function forgetAnswers(): Promise<void> {
  try {
    await empty('answers');
  } catch {
    // Nothing was kept then.
  }
}
