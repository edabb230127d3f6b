// The live channel: one connection per tab, for what its screen shows. It resumes behind the last event it saw, waits longer after each
// failure, and rests while nobody looks.
import { fetchAsMember, pathWithQuery } from '../api/transport';
import { onReturn } from '../offline/network';
import { account } from '../session/session';
import { hearChange } from './events';
import { backoff, EventParser, type ServerEvent } from './sse';

/** The server sends a comment every 15 s: silence for three of them means a dead connection. */
const SILENCE = 45_000;
const CONNECT_LIMIT = 20_000;
/** A tab that nobody looks at gives its connection back after this long. */
const REST_AFTER = 60_000;

export interface Follower {
  topics: readonly string[];
  /** The connection stands anew and what was missed before cannot be told: look whether something changed. */
  check(): void;
  /** Too much was missed: load again what is shown. */
  reset(): void;
}

let follower: Follower | undefined;
let connection: AbortController | undefined;
let tries = 0;
let retryTimer: ReturnType<typeof setTimeout> | undefined;
let restTimer: ReturnType<typeof setTimeout> | undefined;
let position: string | undefined;

/** Follows the topics of a screen until the returned function is called. */
export function follow(next: Follower): () => void {
  follower = next;
  position = undefined;
  tries = 0;
  connect();
  return () => {
    if (follower !== next) return;
    follower = undefined;
    disconnect();
  };
}

function disconnect(): void {
  clearTimeout(retryTimer);
  connection?.abort();
  connection = undefined;
}

function connect(): void {
  disconnect();
  if (!follower || document.visibilityState === 'hidden') return;
  const control = new AbortController();
  connection = control;
  run(follower, control)
    .catch(() => undefined)
    .finally(() => {
      if (connection !== control) return;
      retryTimer = setTimeout(connect, backoff(tries++, Math.random()));
    });
}

async function run(to: Follower, control: AbortController): Promise<void> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  const resumed = position !== undefined;
  if (position !== undefined) headers['Last-Event-ID'] = position;
  const url = pathWithQuery('/api/v1/live', { topic: to.topics.join(',') });
  const response = await fetchAsMember(url, { headers, signal: control.signal, cache: 'no-store' }, CONNECT_LIMIT);
  if (!response.ok || !response.body) throw new Error(`The live channel answered ${response.status}.`);
  if (!resumed) to.check();
  await readAll(to, response.body.getReader(), control);
}

async function readAll(
  to: Follower,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  control: AbortController,
): Promise<void> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  let silence = setTimeout(() => control.abort(), SILENCE);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      tries = 0;
      clearTimeout(silence);
      silence = setTimeout(() => control.abort(), SILENCE);
      for (const event of parser.push(decoder.decode(value, { stream: true }))) hear(to, event);
      // An id without an event moves the position, too.
      if (follower === to && parser.lastId !== undefined) position = parser.lastId;
    }
  } finally {
    clearTimeout(silence);
    void reader.cancel().catch(() => undefined);
  }
}

function hear(to: Follower, event: ServerEvent): void {
  if (follower !== to) return;
  if (event.event === 'reset') to.reset();
  else hearChange(event);
}

export function startLive(): void {
  onReturn(() => {
    if (!follower) return;
    tries = 0;
    if (!connection || retryTimer !== undefined) connect();
  });
  account.follow(() => {
    if (follower) connect();
  });
  document.addEventListener('visibilitychange', () => {
    clearTimeout(restTimer);
    if (document.visibilityState === 'hidden') restTimer = setTimeout(disconnect, REST_AFTER);
    else if (!connection) connect();
  });
}
