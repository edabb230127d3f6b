// The part of a session that outlives the page: who is signed in, and the refresh token, in localStorage.
//
// Why localStorage and not a cookie: the API takes bearer tokens only, so there is nothing that a foreign site could make the browser send
// along (no CSRF), and one binary serves web client and API without cookie rules that depend on its address. What speaks against localStorage
// is script injection. Against that stand a content security policy that runs no script but our own files, people's text that is only ever
// drawn as text, and a token that serves once: if it was stolen, its second use ends the session for thief and owner alike.
import type { Account } from '../api/generated';

const SESSION = 'folkmoot.session';
const ATTEMPT = 'folkmoot.refresh';

export interface StoredSession {
  refresh_token: string;
  session: string;
  account: Account;
}

/** A refresh that was begun: kept before it is sent, so that an answer lost on the way can be asked for again with the same key. */
export interface Attempt {
  refresh_token: string;
  key: string;
}

function read<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(name);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

export const storedSession = {
  key: SESSION,
  read: (): StoredSession | undefined => read<StoredSession>(SESSION),
  write: (session: StoredSession): void => localStorage.setItem(SESSION, JSON.stringify(session)),
  forget: (): void => {
    localStorage.removeItem(SESSION);
    localStorage.removeItem(ATTEMPT);
  },
};

/** The attempt to trade this token: the one begun before, or a new one, stored. */
export function attemptFor(refreshToken: string, newKey: () => string): Attempt {
  const begun = read<Attempt>(ATTEMPT);
  if (begun?.refresh_token === refreshToken) return begun;
  const attempt: Attempt = { refresh_token: refreshToken, key: newKey() };
  localStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  return attempt;
}

/** The new session takes the place of the old one before the attempt is forgotten: at no moment is a good token lost. */
export function attemptSucceeded(session: StoredSession): void {
  storedSession.write(session);
  localStorage.removeItem(ATTEMPT);
}
