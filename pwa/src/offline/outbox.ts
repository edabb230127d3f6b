// What a member does (vote, answer, post) is first written down here, then sent, then struck off: so it survives a dead network, a closed tab
// and a lost answer. The idempotency key written down with it makes the server do it once, however often it is sent.
import { api, mayPass } from '../api/api';
import { ApiProblem, type Comment, type Post, type Problem, type Tally } from '../api/generated';
import { account } from '../session/session';
import { underLock } from '../session/locks';
import { newKey } from '../session/random';
import { Cell } from '../store/cell';
import type { PendingVote } from '../store/tally';
import { readAll, remove, write } from './database';
import { onReturn, reachable } from './network';

interface Common {
  /** Its idempotency key, and its name in the store. */
  key: string;
  /** Who did it: never sent in another member's name. */
  member: string;
  at: number;
  /** Why the server did not take it. It stays until its author decides, for it is their text. */
  refused?: Problem;
}

export interface OutgoingComment extends Common {
  kind: 'comment';
  post: string;
  parent?: string;
  body: string;
}

export interface OutgoingPost extends Common {
  kind: 'post';
  board: string;
  title: string;
  body: string;
}

export interface OutgoingVote extends Common {
  kind: 'vote';
  item: string;
  value: PendingVote;
}

export type Outgoing = OutgoingComment | OutgoingPost | OutgoingVote;
type Fresh<T> = T extends unknown ? Omit<T, 'key' | 'member' | 'at' | 'refused'> : never;

/** What waits, oldest first: of the member who is signed in. */
export const outbox = new Cell<readonly Outgoing[]>([]);

/** Set after an attempt that failed for now: what waits is tried again later. */
export const putOff = new Cell<boolean>(false);

/** Told what became of things sent. */
export interface OutboxListener {
  comment(sent: OutgoingComment, comment: Comment): void;
  post(sent: OutgoingPost, post: Post): void;
  vote(sent: OutgoingVote, tally: Tally): void;
  refused(sent: Outgoing, problem: ApiProblem): void;
}

let listener: OutboxListener | undefined;
let running: Promise<void> | undefined;
let again = false;
let timer: ReturnType<typeof setTimeout> | undefined;
let waits = 0;

const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 120_000;

function byTime(a: Outgoing, b: Outgoing): number {
  return a.at - b.at;
}

/** What is written down, of this member. Without a database what is in memory is all there is. */
async function load(): Promise<void> {
  const member = account.value?.id;
  try {
    const all = await readAll<Outgoing>('outbox');
    // Read the rest after waiting: what was added meanwhile is in memory, and maybe not in what was read.
    const found = new Set(all.map((entry) => entry.key));
    const added = outbox.value.filter((entry) => unwritten.has(entry.key) && !found.has(entry.key));
    outbox.set([...all.filter((entry) => entry.member === member && !gone.has(entry.key)), ...added].sort(byTime));
  } catch {
    outbox.update((entries) => entries.filter((entry) => entry.member === member));
  }
}

/** Entries on their way into the database, and entries struck off: so that a reading in between does not get them wrong. */
const unwritten = new Set<string>();
const gone = new Set<string>();

async function keep(entry: Outgoing): Promise<void> {
  unwritten.add(entry.key);
  try {
    await write('outbox', entry);
    unwritten.delete(entry.key);
  } catch {
    // No database: it stays in memory and is sent while the page lives.
  }
}

async function strikeOff(entry: Outgoing): Promise<void> {
  gone.add(entry.key);
  unwritten.delete(entry.key);
  outbox.update((entries) => entries.filter((other) => other.key !== entry.key));
  await remove('outbox', entry.key).catch(() => undefined);
}

/** Writes it down and sends it. Resolves when it is written down, not when it is sent. */
export async function put(fresh: Fresh<Outgoing>): Promise<Outgoing> {
  const member = account.value?.id;
  if (!member) throw new Error('Only members send.');
  const entry = { ...fresh, key: newKey(), member, at: Date.now() } as Outgoing;
  // Of several votes on one item the last one counts; those before it need not be sent any more.
  const before = entry.kind === 'vote' ? outbox.value.filter((e) => e.kind === 'vote' && e.item === entry.item) : [];
  outbox.update((entries) => [...entries, entry]);
  await keep(entry);
  for (const old of before) await strikeOff(old);
  void flush();
  return entry;
}

export async function discard(entry: Outgoing): Promise<void> {
  await strikeOff(entry);
}

/** Tries a refused one again, as a new attempt: the old key stands for the refusal. */
export async function retry(entry: Outgoing): Promise<void> {
  const { refused: _, ...fresh } = entry;
  const renewed = { ...fresh, key: newKey() } as Outgoing;
  outbox.update((entries) => entries.map((other) => (other.key === entry.key ? renewed : other)));
  await keep(renewed);
  await strikeOff(entry);
  void flush();
}

/** The listener first: what was sent takes the place of what waited without a gap between. */
async function deliver(entry: Outgoing): Promise<void> {
  const idempotencyKey = entry.key;
  if (entry.kind === 'comment') {
    const body = entry.parent ? { body: entry.body, parent: entry.parent } : { body: entry.body };
    const { data } = await api.createComment({ post: entry.post, body, idempotencyKey });
    listener?.comment(entry, data);
    await strikeOff(entry);
  } else if (entry.kind === 'post') {
    const body = { title: entry.title, body: entry.body };
    const { data } = await api.createPost({ board: entry.board, body, idempotencyKey });
    listener?.post(entry, data);
    await strikeOff(entry);
  } else {
    const { item } = entry;
    const { data } = await (entry.value
      ? api.castVote({ item, body: { value: entry.value } })
      : api.withdrawVote({ item }));
    listener?.vote(entry, data);
    await strikeOff(entry);
  }
}

async function refuse(entry: Outgoing, problem: ApiProblem): Promise<void> {
  if (entry.kind === 'vote') await strikeOff(entry);
  else {
    const refused = { ...entry, refused: problem.problem };
    outbox.update((entries) => entries.map((other) => (other.key === entry.key ? refused : other)));
    await keep(refused);
  }
  listener?.refused(entry, problem);
}

/** Seconds that the server asked us to wait, or twice as long as the time before. */
function waitAfter(error: unknown): number {
  if (error instanceof ApiProblem && error.retryAfter !== undefined) return error.retryAfter * 1000;
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** waits++);
}

/** Sends one entry; false when sending has to stop for now. */
async function attempt(entry: Outgoing): Promise<boolean> {
  try {
    await deliver(entry);
    waits = 0;
    putOff.set(false);
    return true;
  } catch (error) {
    if (mayPass(error) || !(error instanceof ApiProblem)) {
      putOff.set(true);
      clearTimeout(timer);
      timer = setTimeout(() => void flush(), waitAfter(error));
      // What the server stumbles over waits by itself; the others need not wait behind it.
      return error instanceof ApiProblem && error.status === 500;
    }
    // Signed out meanwhile: whoever it belongs to may send it after signing in again.
    if (error.status === 401) return false;
    await refuse(entry, error);
    return true;
  }
}

async function sendAll(): Promise<void> {
  do {
    again = false;
    await load();
    for (const entry of outbox.value) {
      const stillThere = outbox.value.some((other) => other.key === entry.key);
      if (entry.refused || !stillThere) continue;
      if (!(await attempt(entry))) return;
    }
  } while (again);
}

/** Sends what waits, one after another, in one tab at a time. */
export function flush(): Promise<void> {
  if (running) {
    again = true;
    return running;
  }
  if (!account.value) return Promise.resolve();
  running = underLock('folkmoot-outbox', sendAll).finally(() => {
    running = undefined;
  });
  return running;
}

/** Forgets what waits: its member signed out of this device. */
export async function forgetOutbox(member: string | undefined): Promise<void> {
  clearTimeout(timer);
  const all = await readAll<Outgoing>('outbox').catch(() => []);
  for (const entry of all) if (member === undefined || entry.member === member) await strikeOff(entry);
  outbox.set([]);
}

export function startOutbox(told: OutboxListener): void {
  listener = told;
  onReturn(() => {
    waits = 0;
    void flush();
  });
  account.follow(() => void load().then(flush));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && outbox.value.length > 0) void flush();
  });
  void load().then(() => (reachable.value ? flush() : undefined));
}
