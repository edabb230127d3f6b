// People who use the server: each calls from an address of their own, through the generated client (`api`) or, for what a decent
// client would never send, request by request (`ask`).
import { randomUUID } from 'node:crypto';
import { Api, type Board, type Comment, type Post, type SignedIn, type Transport } from '../generated/api.ts';
import { exchange, type Answer, type Ask, type Target } from './exchange.ts';
import { Live, type LiveOptions } from './live.ts';

let counter = 0;

/** A name nobody else in this run has. */
export function unique(stem: string): string {
  return `${stem}-${process.pid.toString(36)}-${(++counter).toString(36)}`;
}

/** An address of the loopback net that nobody else in this file uses. */
export function freshAddress(): string {
  const number = ++counter;
  return `127.${1 + Math.floor(number / 65_024)}.${Math.floor(number / 254) % 256}.${1 + (number % 254)}`;
}

export const freshKey = (): string => randomUUID();
export const PASSWORD = 'a long enough password';

export class Person {
  readonly api: Api;
  signedIn?: SignedIn;

  constructor(
    readonly server: Target,
    readonly address = freshAddress(),
  ) {
    this.api = new Api(this.transport());
  }

  get name(): string {
    return this.signedIn!.account.name;
  }

  get id(): string {
    return this.signedIn!.account.id;
  }

  get token(): string {
    return this.signedIn!.access_token;
  }

  /** One request, with the token of this person if there is one; any answer comes back. */
  ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const authorization = this.signedIn ? { Authorization: `Bearer ${this.token}` } : undefined;
    return exchange(this.server, method, path, { address: this.address, ...ask, headers: { ...authorization, ...ask.headers } });
  }

  live(topics: string[], options: LiveOptions = {}): Promise<Live> {
    return Live.open(this.server, topics, { token: this.signedIn?.access_token, address: this.address, ...options });
  }

  async signUp(name = unique('member'), password = PASSWORD): Promise<this> {
    this.signedIn = (await this.api.signUp({ body: { name, password, device: 'a test' } })).data;
    return this;
  }

  /** The same person on another device, signed in there. */
  async elsewhere(device = 'another device'): Promise<Person> {
    const other = new Person(this.server, this.address);
    other.signedIn = (await other.api.signIn({ body: { name: this.name, password: PASSWORD, device } })).data;
    return other;
  }

  /** The same person towards a server that was started again. */
  at(server: Target): Person {
    const same = new Person(server, this.address);
    same.signedIn = this.signedIn;
    return same;
  }

  private transport(): Transport {
    return {
      request: async (method, path, options) => {
        const query = Object.entries(options.query ?? {}).filter(([, value]) => value !== undefined);
        const text = new URLSearchParams(query.map(([name, value]) => [name, String(value)])).toString();
        const answer = await this.ask(method, text ? `${path}?${text}` : path, {
          headers: options.headers,
          body: options.body,
          signal: options.signal,
        });
        const headers = new Headers(Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])));
        return { status: answer.status, headers, body: answer.raw.length ? answer.json() : undefined };
      },
    };
  }
}

/** Someone without an account. */
export const stranger = (server: Target): Person => new Person(server);

export async function member(server: Target, name?: string): Promise<Person> {
  return new Person(server).signUp(name);
}

export function members(server: Target, count: number): Promise<Person[]> {
  return Promise.all(Array.from({ length: count }, () => member(server)));
}

export async function board(by: Person, kind: Board['kind'] = 'discussion'): Promise<Board> {
  const slug = unique('board');
  return (await by.api.createBoard({ body: { slug, title: `The board ${slug}`, kind } })).data;
}

export async function post(by: Person, on: Board, title = unique('A post')): Promise<Post> {
  const body = on.kind === 'statements' ? '' : 'Its text.';
  return (await by.api.createPost({ board: on.slug, body: { title, body } })).data;
}

export async function comment(by: Person, on: Post, body = 'A comment.', parent?: string): Promise<Comment> {
  return (await by.api.createComment({ post: on.id, body: { body, parent } })).data;
}

/** Waits until the forum has heard of a new member's name, which it follows from identity's log. */
export async function known(person: Person, on: Board): Promise<void> {
  const made = await post(person, on);
  for (const until = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
    if ((await person.api.readPost({ post: made.id })).data.author?.name === person.name) return;
    if (Date.now() > until) throw new Error('The forum had not heard of a new member after 10 s.');
  }
}

/** The board once its totals have followed what happened: when `fits` says so. */
export async function boardWhen(by: Person, slug: string, fits: (board: Board) => boolean, most = 10_000): Promise<Board> {
  const until = Date.now() + most;
  for (;;) {
    const { data } = await by.api.readBoard({ board: slug });
    if (fits(data)) return data;
    if (Date.now() > until) throw new Error(`The totals of the board did not follow within ${most} ms: ${JSON.stringify(data)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
