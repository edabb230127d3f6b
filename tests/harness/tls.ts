// A certificate for tests, and HTTP/2 spoken frame by frame, as an attacker would.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';

export interface Certificate {
  certificate: string; // file names
  key: string;
}

export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(process.env.FOLKMOOT_TEST_SCRATCH ?? tmpdir(), 'tls-'));
  const made = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  const options =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1';
  execFileSync('openssl', ['req', ...options.split(' '), '-keyout', made.key, '-out', made.certificate], { stdio: 'ignore' });
  return made;
}

const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const END_STREAM_AND_HEADERS = 5;
const CANCEL = Buffer.from([0, 0, 0, 8]);

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const literal = (index: number, value: string): Buffer => Buffer.concat([Buffer.from([index, value.length]), Buffer.from(value)]);

/** GET of a path: indexed method and scheme, literal path and authority (RFC 7541). */
function getHeaders(path: string): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0x87]), literal(0x04, path), literal(0x01, 'localhost')]);
}

/** Requests, each on a stream of its own. */
export function requests(path: string, first: number, count: number): Buffer {
  const headers = getHeaders(path);
  return Buffer.concat(Array.from({ length: count }, (_, index) => frame(HEADERS, END_STREAM_AND_HEADERS, 2 * (first + index) + 1, headers)));
}

/** A request with a header that is put into the table of its connection, and repeated by a byte each. */
export function headerBomb(path: string, stream: number, times: number): Buffer {
  const repeated = [Buffer.from([0x40, 1]), Buffer.from('x'), Buffer.from([100]), Buffer.alloc(100, 'y'), Buffer.alloc(times, 0xbe)];
  return frame(HEADERS, END_STREAM_AND_HEADERS, stream, Buffer.concat([getHeaders(path), ...repeated]));
}

/** Requests that are each taken back at once. */
export function resetFlood(path: string, first: number, count: number): Buffer {
  const headers = getHeaders(path);
  const frames: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const stream = 2 * (first + index) + 1;
    frames.push(frame(HEADERS, END_STREAM_AND_HEADERS, stream, headers), frame(RST_STREAM, 0, stream, CANCEL));
  }
  return Buffer.concat(frames);
}

/** Frames that each want one back. */
export function pings(count: number): Buffer {
  return Buffer.concat(Array<Buffer>(count).fill(frame(PING, 0, 0, Buffer.alloc(8))));
}

/** A connection that has agreed on HTTP/2 and greeted. It takes as much of each answer as `window` says, and reads on from `resume()`. */
export class Http2Connection {
  closed = false;

  private constructor(
    readonly socket: TLSSocket,
    private readonly plain: Socket,
  ) {
    socket.on('close', () => (this.closed = true));
  }

  static async open(port: number, window = 65_535): Promise<Http2Connection> {
    const plain = connectPlain({ host: '127.0.0.1', port });
    const socket = connect({ socket: plain, ALPNProtocols: ['h2'], rejectUnauthorized: false });
    plain.on('error', () => undefined);
    socket.on('error', () => undefined);
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const settings = Buffer.from([0, 4, 0, 0, 0, 0]); // the window that a stream begins with
    settings.writeUInt32BE(window, 2);
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0, settings)]));
    return new Http2Connection(socket, plain);
  }

  /** Ends it at once, and with it what either side had yet to send. */
  reset(): void {
    this.plain.resetAndDestroy();
  }
}
