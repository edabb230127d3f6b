// More requests at once than a thread has fibers for: those beyond are refused at once, the others are done, and nothing is left.
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { expect, test } from 'vitest';
import { kind } from '../../harness/database.ts';
import { holdDatabase } from '../../harness/lock.ts';
import { board, member, post } from '../../harness/people.ts';
import { binary } from '../../harness/paths.ts';
import { freePort, Place, Server } from '../../harness/server.ts';
import { makeCertificate } from '../../harness/tls.ts';

const FIBERS = 8192;
const STREAMS = 64;
const CONNECTIONS = FIBERS / STREAMS + 4;

interface Refusal {
  status: number;
  retryAfter?: string;
  text: string;
}

function withdraw(on: ClientHttp2Session, path: string, token: string): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const stream = on.request({ ':method': 'DELETE', ':path': path, authorization: `Bearer ${token}` });
    const answer: Refusal = { status: 0, text: '' };
    stream.on('response', (headers) => {
      answer.status = Number(headers[':status']);
      answer.retryAfter = headers['retry-after'];
    });
    stream.setEncoding('utf8').on('data', (part: string) => (answer.text += part));
    stream.on('error', reject).on('end', () => resolve(answer));
  });
}

/** On a slow machine one that waits may run out of time before there are too many. */
async function orNotBusy(asked: Promise<Refusal>): Promise<Refusal> {
  const answer = await asked;
  if (!answer.text.includes('"code":"busy"')) throw new Error(`${answer.status}: ${answer.text}`);
  return answer;
}

// On PostgreSQL fewer wait than that: each thread's connections are leased. Under sanitizers it takes longer than requests may wait.
test.skipIf(kind === 'postgres' || binary.includes('sanitize'))(
  'of more requests than fibers some are refused with 503, and all the others are done once they can be',
  async () => {
    const { certificate, key } = makeCertificate();
    const port = await freePort();
    const place = new Place({
      'gateway.threads': '1',
      'gateway.listen_tls': `127.0.0.1:${port}`,
      'gateway.tls_certificate': certificate,
      'gateway.tls_key': key,
    });
    const server = await Server.start({ place });
    const admin = await member(server);
    const item = await post(admin, await board(admin));
    const sessions = Array.from({ length: CONNECTIONS }, () => connect(`https://127.0.0.1:${port}`, { ca: readFileSync(certificate) }));
    await Promise.all(sessions.map((each) => new Promise((resolve, reject) => each.once('remoteSettings', resolve).once('error', reject))));

    const letGo = await holdDatabase(place, 'forum', 'item');
    const asked = sessions.flatMap((each) => Array.from({ length: STREAMS }, () => withdraw(each, `/api/v1/items/${item.id}/vote`, admin.token)));
    const refused = await Promise.any(asked.map(orNotBusy));
    await letGo();
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.text)).toMatchObject({ detail: 'Too many requests are under way. Try again in a moment.' });
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    for (const { status } of await Promise.all(asked)) expect([200, 503]).toContain(status);
    expect((await withdraw(sessions[0]!, `/api/v1/items/${item.id}/vote`, admin.token)).status).toBe(200);
    for (const each of sessions) each.destroy();
    await server.stop();
    place.remove();
  },
  60_000,
);
