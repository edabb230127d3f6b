// One request and its answer over HTTP/1.1, every answer checked against the published document. Requests may come from any
// address of 127.0.0.0/8, so that limits per address meet only the tests that mean them.
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { check, type Problem } from './document.ts';

export interface Target {
  port: number;
}

export interface Ask {
  headers?: Record<string, string | string[]>;
  body?: unknown; // a Buffer or string as it stands; anything else as JSON
  address?: string; // the client's
  timeout?: number;
  signal?: AbortSignal;
}

export interface Answer {
  method: string;
  path: string;
  status: number;
  headers: IncomingHttpHeaders;
  raw: Buffer;
  text: string;
  json<T = unknown>(): T;
  problem(): Problem;
}

/** Connections that nobody uses are closed before the server does so, which takes it ten seconds: what was just sent would be lost. */
const IDLE_MS = 5000;

const agents = new Map<string, Agent>();

function agentFor(port: number, address: string): Agent {
  const name = `${address} ${port}`;
  let agent = agents.get(name);
  if (!agent) agents.set(name, (agent = new Agent({ keepAlive: true, maxSockets: 64, localAddress: address, timeout: IDLE_MS })));
  return agent;
}

/** Closes the connections to a server that is about to end or has ended, or to all. */
export function closeConnections(port?: number): void {
  for (const [name, agent] of agents) {
    if (port !== undefined && !name.endsWith(` ${port}`)) continue;
    agent.destroy();
    agents.delete(name);
  }
}

export async function exchange(server: Target, method: string, path: string, ask: Ask = {}): Promise<Answer> {
  const answer = await exchangeRaw(server, method, path, ask);
  check(answer);
  return answer;
}

/** The same without a look at the document: for answers that come packed. */
export function exchangeRaw(server: Target, method: string, path: string, ask: Ask): Promise<Answer> {
  const raw = ask.body === undefined || typeof ask.body === 'string' || Buffer.isBuffer(ask.body);
  const body = raw ? (ask.body as string | Buffer | undefined) : JSON.stringify(ask.body);
  const headers: Record<string, string | string[]> = { ...ask.headers };
  const named = Object.keys(headers).map((name) => name.toLowerCase());
  if (body !== undefined && !named.includes('content-type')) headers['Content-Type'] = 'application/json';
  if (body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(body));
  const agent = agentFor(server.port, ask.address ?? '127.0.0.1');
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      method,
      path,
      headers,
      agent,
      timeout: ask.timeout ?? 20_000,
      signal: ask.signal,
    };
    const request = httpRequest(options, (response) => {
      collect(method, path, response).then(resolve, reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path} was not answered in time.`)));
    request.on('error', reject);
    request.end(body);
  });
}

/** Reads an answer to its end. */
export async function collect(method: string, path: string, response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return makeAnswer(method, path, response.statusCode ?? 0, response.headers, Buffer.concat(parts));
}

/** An answer that was refused, where one that succeeds was wanted. */
export class Refusal extends Error {
  constructor(readonly answer: Answer) {
    super(`${answer.method} ${answer.path} was refused: ${answer.status} ${answer.text}`);
  }
}

export function makeAnswer(method: string, path: string, status: number, headers: IncomingHttpHeaders, raw: Buffer): Answer {
  const text = raw.toString('utf8');
  const json = <T>(): T => JSON.parse(text) as T;
  return { method, path, status, headers, raw, text, json, problem: () => json<Problem>() };
}
