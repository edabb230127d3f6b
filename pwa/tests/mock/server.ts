// Serves the built client and the mock community over HTTP, with the content security policy of the real server.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { extname, join } from 'node:path';
import type { Account, Comment, Post } from '../../src/api/generated';
import { Community, newId } from './community';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const DOCS_POLICY = `${POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:`;
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

interface Call {
  method: string;
  path: string[];
  query: URLSearchParams;
  body: Record<string, string>;
  member?: Account;
  session?: string;
  headers: IncomingMessage['headers'];
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export class MockServer {
  readonly community: Community;
  readonly seenKeys = new Map<string, { status: number; body?: unknown }>();
  /** Requests as "METHOD path", for tests to count. */
  readonly calls: string[] = [];
  /** Paths of the client's files that were asked for. */
  readonly files: string[] = [];
  /** While set, API requests get no answer: the connection is cut. */
  cut = false;
  /** The end of a path: the next POST to it is done, but its answer is lost. */
  loseNextAnswerTo = '';
  private tokens = new Map<string, { account: Account; session: string }>();
  private refreshTokens = new Map<string, { account: Account; session: string; used: boolean }>();
  private streams = new Set<ServerResponse>();
  private server: Server;
  private position = 0;
  address = '';

  constructor(community: Community) {
    this.community = community;
    this.server = createServer((request, response) => void this.serve(request, response));
    community.listeners.add((told) => {
      this.position++;
      for (const stream of this.streams) {
        const topics = (stream as ServerResponse & { topics: string[] }).topics;
        if (told.topics.some((topic) => topics.includes(topic)))
          stream.write(`id: ${this.position}\nevent: ${told.event}\ndata: ${JSON.stringify(told.data)}\n\n`);
      }
    });
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private signedIn(account: Account, session: string = newId()): Record<string, unknown> {
    const access = randomUUID();
    const refresh = randomUUID();
    this.tokens.set(access, { account, session });
    this.refreshTokens.set(refresh, { account, session, used: false });
    return { account, session, access_token: access, token_type: 'Bearer', expires_in: 900, refresh_token: refresh };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mock');
    if (!url.pathname.startsWith('/api/')) return this.file(url.pathname, response);
    this.calls.push(`${request.method} ${url.pathname}`);
    if (this.cut) return void request.socket.destroy();
    if (url.pathname === '/api/v1/live') return this.live(url, request, response);
    const text = await new Promise<string>((resolve) => {
      let all = '';
      request.on('data', (part) => (all += part));
      request.on('end', () => resolve(all));
    });
    const given = this.tokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '');
    const call: Call = {
      method: request.method ?? 'GET',
      path: url.pathname.split('/').slice(3),
      query: url.searchParams,
      body: text ? JSON.parse(text) : {},
      headers: request.headers,
      member: given?.account,
      session: given?.session,
    };
    const answer = this.answer(call);
    if (this.loseNextAnswerTo && call.method === 'POST' && url.pathname.endsWith(this.loseNextAnswerTo)) {
      this.loseNextAnswerTo = '';
      return void request.socket.destroy();
    }
    const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
    const etag = `"${createHash('sha1').update(body).digest('hex').slice(0, 12)}"`;
    response.writeHead(answer.status, {
      'Content-Type': answer.status < 400 ? 'application/json' : 'application/problem+json',
      ETag: etag,
      'Cache-Control': 'no-store',
    });
    response.end(body);
  }

  private answer(call: Call): { status: number; body?: unknown } {
    const key = call.headers['idempotency-key'] as string | undefined;
    const kept = key ? this.seenKeys.get(key) : undefined;
    if (kept) return kept;
    try {
      const answer = this.act(call);
      if (key) this.seenKeys.set(key, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return {
        status: error.status,
        body: { type: 'about:blank', title: error.code, status: error.status, code: error.code, instance: '' },
      };
    }
  }

  private act(call: Call): { status: number; body?: unknown } {
    const [kind, id, part] = call.path;
    switch (`${call.method} ${kind}${part ? `/${part}` : ''}`) {
      case 'GET community':
        return {
          status: 200,
          body: { name: 'Lower Meadow', version: '0.1.0', modules: ['identity', 'forum'], public_reading: true },
        };
      case 'GET sign-up':
        return { status: 200, body: { open: true, first: this.community.accounts.size === 0 } };
      case 'POST accounts':
        return this.signUp(call);
      case 'POST sessions':
        return id === 'refresh' ? this.refresh(call) : this.signIn(call);
      case 'GET sessions':
        return this.sessions(call);
      case 'DELETE sessions':
        return { status: 204 };
      case 'GET boards':
        return { status: 200, body: this.boards(id, call.member?.id) };
      case 'POST boards':
        return this.newBoard(call);
      case 'PATCH boards':
        return this.changeBoard(call);
      case 'GET boards/posts':
        return this.list(call);
      case 'GET boards/unvoted':
        return this.unvoted(call);
      case 'POST boards/posts':
        return {
          status: 201,
          body: this.community.addPost(this.board(id!), member(call), call.body.title!, call.body.body, 300),
        };
      case 'GET posts':
      case 'GET comments':
        return { status: 200, body: this.community.seen([this.item(id!)], call.member?.id)[0] };
      case 'GET posts/comments':
        return this.thread(call);
      case 'POST posts/comments':
        return this.newComment(call);
      case 'PATCH posts':
      case 'PATCH comments':
        return this.edit(call);
      case 'DELETE posts':
      case 'DELETE comments':
        return this.remove(call);
      case 'PUT items/vote':
        return { status: 200, body: this.community.vote(id!, member(call).id, call.body.value as 'agree') };
      case 'DELETE items/vote':
        return { status: 200, body: this.community.vote(id!, member(call).id, undefined) };
      default:
        throw new Refusal(404, 'no_such_path');
    }
  }

  private board(slug: string) {
    const board = this.community.boards.find((one) => one.slug === slug);
    if (!board) throw new Refusal(404, 'not_found');
    return board;
  }

  private item(id: string): Post | Comment {
    const item = this.community.item(id);
    if (!item) throw new Refusal(404, 'not_found');
    return item;
  }

  private signUp(call: Call) {
    if (this.community.accounts.has(call.body.name!)) throw new Refusal(409, 'name_taken');
    return { status: 201, body: this.signedIn(this.community.addAccount(call.body.name!, call.body.password!)) };
  }

  private signIn(call: Call) {
    const found = this.community.accounts.get(call.body.name!);
    if (!found || found.password !== call.body.password) throw new Refusal(401, 'wrong_credentials');
    return { status: 201, body: this.signedIn(found.account) };
  }

  private refresh(call: Call) {
    const found = this.refreshTokens.get(call.body.refresh_token!);
    if (!found || found.used) throw new Refusal(401, 'session_ended');
    found.used = true;
    return { status: 200, body: this.signedIn(found.account, found.session) };
  }

  /** Makes all access tokens worthless, as time does. */
  expireTokens(): void {
    this.tokens.clear();
  }

  /** Ends all sessions: neither access nor refresh tokens are taken any more. */
  endSessions(): void {
    this.expireTokens();
    this.refreshTokens.clear();
  }

  private sessions(call: Call) {
    member(call);
    const now = new Date().toISOString();
    const items = [
      { id: call.session ?? newId(), device: 'Chrome on Android', created_at: now, used_at: now, current: true },
      {
        id: newId(),
        device: 'Firefox on Linux',
        created_at: now,
        used_at: new Date(Date.now() - 7_200_000).toISOString(),
        current: false,
      },
    ];
    return { status: 200, body: { items } };
  }

  private newBoard(call: Call) {
    if (this.community.boards.some((board) => board.slug === call.body.slug)) throw new Refusal(409, 'slug_taken');
    return {
      status: 201,
      body: this.community.addBoard(
        call.body.slug!,
        call.body.title!,
        call.body.kind as 'discussion',
        call.body.description,
      ),
    };
  }

  private changeBoard(call: Call) {
    const board = this.board(call.path[1]!);
    const { closed, ...rest } = call.body as unknown as { closed?: boolean; title?: string };
    Object.assign(board, rest);
    if (closed === true) board.closed_at = new Date().toISOString();
    if (closed === false) delete board.closed_at;
    return { status: 200, body: board };
  }

  private boards(slug: string | undefined, member: string | undefined) {
    if (slug !== undefined) return this.community.board(this.board(slug), member);
    return { items: this.community.boards.map((board) => this.community.board(board, member)) };
  }

  private list(call: Call) {
    const board = this.board(call.path[1]!);
    const posts = this.community.posts.filter((post) => post.board_id === board.id);
    if (call.query.get('sort') === 'agreed') posts.sort((a, b) => share(b) - share(a));
    return page(this.community.seen(posts, call.member?.id), call);
  }

  private unvoted(call: Call) {
    const board = this.board(call.path[1]!);
    const { id } = member(call);
    const open = this.community.posts.filter(
      (post) => post.board_id === board.id && !this.community.votes.get(post.id)?.has(id),
    );
    return page(this.community.seen(open.reverse(), id), call);
  }

  private thread(call: Call) {
    const from = Number(call.query.get('cursor') ?? 0);
    const limit = Number(call.query.get('limit') ?? 20);
    const { items, more } = this.community.level(
      call.query.get('parent') ?? call.path[1]!,
      Number(call.query.get('depth') ?? 2),
      from,
      limit,
    );
    return {
      status: 200,
      body: { items: this.community.seen(items, call.member?.id), ...(more ? { next: String(from + limit) } : {}) },
    };
  }

  private newComment(call: Call) {
    const post = this.item(call.path[1]!) as Post;
    const parent = call.body.parent ? (this.item(call.body.parent) as Comment) : undefined;
    return { status: 201, body: this.community.addComment(post, parent, member(call), call.body.body!, 300) };
  }

  private edit(call: Call) {
    const item = this.item(call.path[1]!);
    Object.assign(item, call.body, { edited_at: new Date().toISOString() });
    return { status: 200, body: item };
  }

  private remove(call: Call) {
    const item = this.item(call.path[1]!);
    Object.assign(item, { body: '', deleted_at: new Date().toISOString() }, 'title' in item ? { title: '' } : {});
    return { status: 204 };
  }

  private live(url: URL, request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(`id: ${this.position}\n\n`);
    Object.assign(response, { topics: (url.searchParams.get('topic') ?? '').split(',') });
    this.streams.add(response);
    request.on('close', () => this.streams.delete(response));
  }

  private file(path: string, response: ServerResponse): void {
    this.files.push(path);
    const wanted = join(DIST, path.endsWith('/') ? `${path}index.html` : path);
    const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, 'index.html');
    response.writeHead(200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      'Content-Security-Policy': path.startsWith('/docs') ? DOCS_POLICY : POLICY,
    });
    response.end(readFileSync(file));
  }
}

function member(call: Call): Account {
  if (!call.member) throw new Refusal(401, 'unauthenticated');
  return call.member;
}

function share(post: Post): number {
  return (
    post.tally.agree_count / Math.max(1, post.tally.agree_count + post.tally.disagree_count + post.tally.pass_count)
  );
}

function page(items: unknown[], call: Call) {
  const from = Number(call.query.get('cursor') ?? 0);
  const limit = Number(call.query.get('limit') ?? 20);
  return {
    status: 200,
    body: {
      items: items.slice(from, from + limit),
      ...(from + limit < items.length ? { next: String(from + limit) } : {}),
    },
  };
}
