// A proxy in front: whom limits count, and that nobody can choose it.
import { expect, test } from 'vitest';
import { freshAddress } from '../../harness/people.ts';
import { exchange } from '../../harness/exchange.ts';
import { Place, runProgram } from '../../harness/server.ts';
import { world } from '../../harness/world.ts';

const PROXY = '127.99.0.1';
const scene = world({
  set: { 'gateway.limit_scale': '100', 'gateway.trusted_proxies': `${PROXY} 10.0.0.0/8 2001:db8:ffff::/48` },
});

/** How many more accounts may be tried from where a request seems to come. */
async function left(address: string, forwarded?: string | string[]): Promise<number> {
  const headers: Record<string, string | string[]> = forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded };
  const answer = await exchange(scene.server, 'POST', '/api/v1/accounts', { address, headers, body: { name: 'x', password: 'short' } });
  return Number(/"sign_up";r=(\d+)/.exec(String(answer.headers.ratelimit))![1]);
}

test('each client of a trusted proxy is counted for itself', async () => {
  expect([await left(PROXY, '192.0.2.1'), await left(PROXY, '192.0.2.1'), await left(PROXY, '192.0.2.2')]).toEqual([19, 18, 19]);
  expect(await left(freshAddress())).toBe(19);
});

test('an IPv6 network is one client, whichever of its addresses calls', async () => {
  expect([await left(PROXY, '2001:db8:1:2::1'), await left(PROXY, '[2001:db8:1:2::2]:4711'), await left(PROXY, '2001:db8:1:3::1')]).toEqual(
    [19, 18, 19],
  );
});

test('attack: what a client writes into the header itself does not make it another', async () => {
  const written = (index: number): string[] => [`198.51.100.${index}`, '10.1.2.3'];
  const counts: number[] = [];
  for (let index = 0; index < 5; index++) counts.push(await left(PROXY, `${written(index).join(', ')}, 192.0.2.10`));
  for (let index = 5; index < 8; index++) counts.push(await left(PROXY, [...written(index), '192.0.2.10, 10.7.7.7']));
  expect(counts).toEqual([19, 18, 17, 16, 15, 14, 13, 12]);
});

test('attack: nobody else may say for whom it calls', async () => {
  const stranger = freshAddress();
  const counts = [await left(stranger, '192.0.2.20'), await left(stranger, PROXY), await left(stranger, '10.0.0.1'), await left(stranger)];
  expect(counts).toEqual([19, 18, 17, 16]);
  expect(await left(PROXY, '192.0.2.20')).toBe(19);
});

test.each([['a word', 'unknown'], ['nothing', ''], ['a long line', '1'.repeat(8000)], ['ten thousand commas', ','.repeat(10_000)]])(
  'attack: a header of %s counts for the proxy itself',
  async (_, forwarded) => {
    const before = await left(PROXY);
    expect(await left(PROXY, forwarded)).toBe(before - 1);
  },
);

test('what is no address stops the start, and the message names it', async () => {
  const place = new Place({ 'gateway.trusted_proxies': '10.0.0.0/8 proxy.example' });
  const outcome = await runProgram(['--data', place.data, 'serve']);
  expect(outcome.code).not.toBe(0);
  expect(outcome.stderr).toMatch(/gateway\.trusted_proxies.*proxy\.example/);
  place.remove();
});
