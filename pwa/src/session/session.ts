// Who is signed in on this device, and the access token, which lives in memory only.
import type { Account, SignedIn } from '../api/generated';
import { fetchWithin, Unreachable } from '../offline/network';
import { Cell } from '../store/cell';
import { underLock } from './locks';
import { newKey } from './random';
import { attemptFor, attemptSucceeded, storedSession } from './stored_session';

const REFRESH_PATH = '/api/v1/sessions/refresh';
const REFRESH_LIMIT = 15_000;
/** An access token is traded this long before its end, so that it does not end on the way. */
const MARGIN = 20_000;

/** The member, known from storage at once; undefined for a stranger. */
export const account = new Cell<Account | undefined>(undefined);
/** Set when a session ended without the member's doing: the sign-in screen says so. */
export const endedByServer = new Cell<boolean>(false);

interface Access {
  token: string;
  good_until: number;
  session: string;
}

let access: Access | undefined;
let refreshing: Promise<string | undefined> | undefined;
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('folkmoot');

/** Who it was, and whether the server ended it without their doing. */
type EndListener = (member: string | undefined, byServer: boolean) => unknown;
const endListeners = new Set<EndListener>();

/** Calls `listener` when whoever was signed in no longer is: what was kept for them must go. */
export function onSessionEnd(listener: EndListener): void {
  endListeners.add(listener);
}

export function startSession(): void {
  account.set(storedSession.read()?.account);
  // A token that one tab fetched serves all tabs; a sign-out in one is a sign-out in all.
  channel?.addEventListener('message', (event: MessageEvent<Access>) => {
    if (event.data.session === storedSession.read()?.session) access = event.data;
  });
  window.addEventListener('storage', (event) => {
    if (event.key !== storedSession.key && event.key !== null) return;
    const stored = storedSession.read();
    if (stored?.account.id === account.value?.id) return;
    const member = account.value?.id;
    access = undefined;
    account.set(stored?.account);
    // The tab that signed out clears what is kept; this one only what it shows.
    if (member !== undefined && !stored) endedByServer.set(false);
  });
}

export function sessionId(): string | undefined {
  return storedSession.read()?.session;
}

function take(signed: SignedIn): string {
  access = { token: signed.access_token, good_until: Date.now() + signed.expires_in * 1000, session: signed.session };
  channel?.postMessage(access);
  account.set(signed.account);
  return signed.access_token;
}

/** After signing up or in. */
export function begin(signed: SignedIn): void {
  attemptSucceeded({ refresh_token: signed.refresh_token, session: signed.session, account: signed.account });
  endedByServer.set(false);
  take(signed);
}

/** Forgets the session on this device. */
export async function end(byServer = false): Promise<void> {
  const member = account.value?.id;
  storedSession.forget();
  access = undefined;
  account.set(undefined);
  endedByServer.set(byServer);
  await Promise.all([...endListeners].map((listener) => listener(member, byServer)));
}

function goodAccess(refused?: string): string | undefined {
  if (!access || access.token === refused || access.good_until - MARGIN < Date.now()) return undefined;
  return access.token;
}

/** A token to send along, fetched if need be; undefined for a stranger. `refused` is one that the server no longer takes. */
export async function accessToken(refused?: string): Promise<string | undefined> {
  const good = goodAccess(refused);
  if (good !== undefined || !account.value) return good;
  refreshing ??= underLock('folkmoot-refresh', () => refresh(refused)).finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

async function refresh(refused?: string): Promise<string | undefined> {
  // While we waited for the lock another tab may have fetched a token, or signed out.
  const good = goodAccess(refused);
  const stored = storedSession.read();
  if (good !== undefined || !stored) return good;

  const attempt = attemptFor(stored.refresh_token, newKey);
  const response = await fetchWithin(REFRESH_LIMIT, REFRESH_PATH, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': attempt.key },
    body: JSON.stringify({ refresh_token: attempt.refresh_token }),
  });
  if (response.ok) return accept((await answerOf(response)) as SignedIn);
  // Anything but a clear no may pass: the attempt stays and is repeated under its key.
  if (response.status === 429 || response.status >= 500) throw new Unreachable();
  await end(true);
  return undefined;
}

/** An answer cut off on its way is no answer. */
async function answerOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new Unreachable();
  }
}

function accept(signed: SignedIn): string {
  attemptSucceeded({ refresh_token: signed.refresh_token, session: signed.session, account: signed.account });
  return take(signed);
}
