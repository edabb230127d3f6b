// Carries the requests of the generated client: with the member's token, once more after a refused one, and for what is read from what was
// kept when the network fails.
import { keepAnswer, keptAnswer } from '../offline/answers';
import { fetchWithin, notReached, Unreachable } from '../offline/network';
import { account, accessToken } from '../session/session';
import type { QueryValues, RequestOptions, Transport } from './generated';

const LIMIT = 20_000;
/** With a kept answer at hand a slow network is not waited for as long. */
const LIMIT_WITH_KEPT = 7_000;
const BODY_LIMIT = 45_000;
const SHARED_BY_ALL = 'anyone';

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

export function pathWithQuery(path: string, query?: QueryValues): string {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) values.set(name, String(value));
  const text = values.toString();
  return text ? `${path}?${text}` : path;
}

/** fetch with the member's token, and once more with a new one if the server no longer takes it. */
export async function fetchAsMember(url: string, init: RequestInit, limit: number): Promise<Response> {
  const send = (token: string | undefined) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    return fetchWithin(limit, url, { ...init, headers });
  };
  const token = await accessToken();
  const response = await send(token);
  if (response.status !== 401 || token === undefined) return response;
  return send(await accessToken(token));
}

/** Headers came, but the body does not: on a bad network that may last for ever. */
function stalled(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Unreachable()), BODY_LIMIT));
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    const text = await Promise.race([response.text(), stalled()]);
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    // The connection broke in the middle, or somebody else (a captive portal) answered.
    notReached();
    throw new Unreachable();
  }
}

async function send(method: string, url: string, options: RequestOptions, limit: number): Promise<Answer> {
  const headers: Record<string, string> = { ...options.headers };
  const init: RequestInit = { method, headers };
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  const response = await fetchAsMember(url, init, limit);
  return { status: response.status, headers: response.headers, body: await bodyOf(response) };
}

/** Whether the kept answer is the better one: the server is there, but in no state to answer. */
function outOfOrder(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

async function read(url: string, options: RequestOptions): Promise<Answer> {
  const reader = account.value?.id ?? SHARED_BY_ALL;
  const kept = await keptAnswer(reader, url);
  const answerKept = (): Answer => ({
    status: 200,
    headers: new Headers(kept?.etag ? { ETag: kept.etag } : {}),
    body: kept?.body,
  });
  try {
    const answer = await send('GET', url, options, kept ? LIMIT_WITH_KEPT : LIMIT);
    if (answer.status === 200) void keepAnswer(reader, url, answer.body, answer.headers.get('ETag'));
    return kept && outOfOrder(answer.status) ? answerKept() : answer;
  } catch (error) {
    if (kept && error instanceof Unreachable) return answerKept();
    throw error;
  }
}

export const transport: Transport = {
  request: (method, path, options) => {
    const url = pathWithQuery(path, options.query);
    return method === 'GET' ? read(url, options) : send(method, url, options, LIMIT);
  },
};
