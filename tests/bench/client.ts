// A client as the benchmark needs it: answers are not compared with the document, which takes longer than they do.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { exchangeRaw, type Answer, type Ask } from '../harness/exchange.ts';
import { Person } from '../harness/people.ts';

export class QuickPerson extends Person {
  override ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const authorization = this.signedIn ? { Authorization: `Bearer ${this.token}` } : undefined;
    return exchangeRaw(this.server, method, path, { ...ask, address: this.address, headers: { ...authorization, ...ask.headers } });
  }
}

/** Follows a topic; tells of every event when it comes. */
export class Follower {
  count = 0;
  onEvent: (data: { id?: string }) => void = () => undefined;
  private rest = '';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8').on('data', (text: string) => this.take(text));
    response.on('error', () => undefined);
  }

  static async open(port: number, topic: string): Promise<Follower> {
    const headers = { Accept: 'text/event-stream' };
    const path = `/api/v1/live?topic=${encodeURIComponent(topic)}`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).on('error', reject).end();
    });
    if (response.statusCode !== 200) throw new Error(`The live channel was refused with ${response.statusCode}.`);
    return new Follower(response);
  }

  close(): void {
    this.response.destroy();
  }

  private take(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop()!;
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data:'));
      if (!data) continue;
      this.count++;
      this.onEvent(JSON.parse(data.slice('data:'.length)) as { id?: string });
    }
  }
}
