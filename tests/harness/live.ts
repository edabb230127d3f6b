// A follower of the live channel: server-sent events over a connection of its own, resumable with the id of the last event seen.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './document.ts';
import { collect, makeAnswer, Refusal, type Target } from './exchange.ts';

export interface LiveEvent {
  id: string;
  event: string;
  data: Record<string, unknown>;
  at: number; // when it came, ms
}

export interface LiveOptions {
  token?: string;
  lastEventId?: string;
  address?: string;
}

export class Live {
  readonly events: LiveEvent[] = [];
  comments = 0; // heartbeats seen
  ended = false;
  private read = 0; // how many events `next` has given
  private rest = '';
  lastEventId: string;

  private constructor(
    readonly response: IncomingMessage,
    lastEventId: string,
  ) {
    this.lastEventId = lastEventId;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
    response.on('close', () => (this.ended = true));
    response.on('error', () => (this.ended = true));
  }

  static async open(server: Target, topics: string[], options: LiveOptions = {}): Promise<Live> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (options.token) headers.Authorization = `Bearer ${options.token}`;
    if (options.lastEventId) headers['Last-Event-ID'] = options.lastEventId;
    const path = `/api/v1/live?topic=${topics.map(encodeURIComponent).join(',')}`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: server.port,
        path,
        headers,
        agent: false,
        localAddress: options.address ?? '127.0.0.1',
      });
      request.on('error', reject).on('response', resolve);
      request.end();
    });
    if (response.statusCode !== 200) {
      const answer = await collect('GET', path, response);
      check(answer);
      throw new Refusal(answer);
    }
    check(makeAnswer('GET', path, 200, response.headers, Buffer.alloc(0)));
    return new Live(response, options.lastEventId ?? '');
  }

  /** The next event that fits, passing over others; fails when none comes in time. */
  async next(fits: string | ((event: LiveEvent) => boolean) = () => true, most = 10_000): Promise<LiveEvent> {
    const test = typeof fits === 'string' ? (event: LiveEvent): boolean => event.event === fits : fits;
    const until = Date.now() + most;
    for (;;) {
      while (this.read < this.events.length) {
        const event = this.events[this.read++]!;
        if (test(event)) return event;
      }
      if (this.ended) throw new Error('The live channel ended.');
      if (Date.now() > until) throw new Error(`No such event within ${most} ms; seen: ${JSON.stringify(this.events)}`);
      await sleep(5);
    }
  }

  /** Waits until the server ends the channel. */
  async untilEnded(most: number): Promise<void> {
    for (const until = Date.now() + most; !this.ended; await sleep(5))
      if (Date.now() > until) throw new Error(`The live channel had not ended after ${most} ms.`);
  }

  close(): void {
    this.response.destroy();
  }

  private take(text: string): void {
    this.rest += text;
    for (let end = this.rest.indexOf('\n\n'); end >= 0; end = this.rest.indexOf('\n\n')) {
      this.block(this.rest.slice(0, end));
      this.rest = this.rest.slice(end + 2);
    }
  }

  private block(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments++;
      else fields.set(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart());
    }
    if (fields.has('id')) this.lastEventId = fields.get('id')!;
    if (!fields.has('data')) return;
    this.events.push({
      id: this.lastEventId,
      event: fields.get('event') ?? 'message',
      data: JSON.parse(fields.get('data')!) as Record<string, unknown>,
      at: Date.now(),
    });
  }
}
