// A client that says to the server what no decent HTTP library would say, and shows what came back, byte for byte.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from './exchange.ts';

export class RawConnection {
  received = Buffer.alloc(0);
  closed = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (part) => (this.received = Buffer.concat([this.received, part])));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => (this.closed = true));
  }

  static async open(server: Target, address = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress: address });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }

  say(bytes: string | Buffer): void {
    if (!this.closed) this.socket.write(bytes);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** Waits until what came fits, or until the server closed; fails after `most` ms. */
  async until(fits: (text: string) => boolean, most = 5000): Promise<string> {
    const end = Date.now() + most;
    while (!fits(this.text) && !this.closed) {
      if (Date.now() > end) throw new Error(`Not within ${most} ms; came: ${JSON.stringify(this.text.slice(0, 500))}`);
      await sleep(5);
    }
    return this.text;
  }

  /** Waits until the server closes; answers how long that took, in ms. */
  async untilClosed(most: number): Promise<number> {
    const begun = Date.now();
    await this.until(() => false, most);
    return Date.now() - begun;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Sends bytes and answers with what came until the server closed, or was silent for `quiet` ms after its first word. */
export async function sayRaw(server: Target, bytes: string | Buffer, quiet = 200): Promise<string> {
  const connection = await RawConnection.open(server);
  connection.say(bytes);
  await connection.until((text) => text.length > 0);
  for (let length = -1; length !== connection.received.length && !connection.closed;) {
    length = connection.received.length;
    await sleep(quiet);
  }
  connection.destroy();
  return connection.text;
}

/** The status of each answer in a raw stream. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}
