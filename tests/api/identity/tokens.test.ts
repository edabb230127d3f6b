// Access tokens: what a verifier must not believe, and what others can verify.
import { generateKeyPairSync, verify } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { member, type Person, stranger } from '../../harness/people.ts';
import { expectProblem } from '../../harness/problems.ts';
import {
  type Claims,
  type Jwk,
  pemOf,
  publicKey,
  putTogether,
  signingKey,
  takeApart,
  type Token,
  withEs256,
  withHs256,
} from '../../harness/tokens.ts';
import { world } from '../../harness/world.ts';

const scene = world();
let person: Person;
let real: Token;

beforeAll(async () => {
  person = await member(scene.server);
  real = takeApart(person.token);
});

const jwks = async (): Promise<Jwk[]> => (await stranger(scene.server).ask('GET', '/.well-known/jwks.json')).json<{ keys: Jwk[] }>().keys;
const present = (authorization: string) =>
  stranger(scene.server).ask('GET', '/api/v1/account', { headers: { Authorization: authorization } });

/** Presents a token with changed claims and a signature that is the server's own. */
const signed = (changes: Claims, header: Claims = {}) => {
  const key = signingKey(scene.server.place.data, String(real.header.kid));
  return present(`Bearer ${putTogether({ ...real.header, ...header }, { ...real.claims, ...changes }, withEs256(key))}`);
};

const now = (): number => Math.floor(Date.now() / 1000);

test('a member is known by the token', async () => {
  expect((await person.api.readAccount()).data.id).toBe(person.id);
});

test("a token that a test makes with the server's key is taken: so what is refused below is refused for its fault", async () => {
  expect((await signed({})).status).toBe(200);
});

test('a request without a token is refused with 401 and says how to sign in', async () => {
  const answer = await stranger(scene.server).ask('GET', '/api/v1/account');
  expectProblem(answer, 401, 'unauthenticated');
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
});

test.each([
  ['nothing', 'Bearer '],
  ['one word', 'Bearer garbage'],
  ['dots', 'Bearer ..'],
  ['bytes that are no base64', 'Bearer a.b!.c'],
  ['another scheme', 'Basic YWRtaW46YWRtaW4='],
  ['no scheme', 'eyJhbGciOiJub25lIn0.e30.'],
  ['a lot', `Bearer ${'A'.repeat(4000)}`],
  ['a header that is nested deeply', `Bearer ${Buffer.from('['.repeat(1000)).toString('base64url')}.e30.AAAA`],
])('a token of %s is refused', async (_, authorization) => {
  expectProblem(await present(authorization), 401, 'unauthenticated');
});

test.each(['none', 'None', 'NONE', 'nOnE'])('a token with the algorithm %s is refused, with and without a signature', async (alg) => {
  for (const signature of ['', real.signature]) {
    expectProblem(await present(`Bearer ${putTogether({ ...real.header, alg }, real.claims, () => signature)}`), 401, 'unauthenticated');
  }
});

test("a token MACed with the public key is refused: the algorithm is the key's, not the token's", async () => {
  const [jwk] = await jwks();
  const pem = pemOf(publicKey(jwk!));
  for (const secret of [pem, pem.trim(), Buffer.from(jwk!.x, 'base64url')]) {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      expectProblem(
        await present(`Bearer ${putTogether({ ...real.header, alg }, real.claims, withHs256(secret))}`),
        401,
        'unauthenticated',
      );
    }
  }
});

test("a token signed by another key is refused, under a known key's name and under its own", async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (const kid of [real.header.kid, 'mine', '../../etc/passwd', '', 7, null]) {
    expectProblem(
      await present(`Bearer ${putTogether({ ...real.header, kid }, real.claims, withEs256(privateKey))}`),
      401,
      'unauthenticated',
    );
  }
});

test('a token that brings its own key is refused', async () => {
  const { privateKey, publicKey: own } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const header = { ...real.header, jwk: own.export({ format: 'jwk' }) };
  expectProblem(await present(`Bearer ${putTogether(header, real.claims, withEs256(privateKey))}`), 401, 'unauthenticated');
});

test.each(['sub', 'roles', 'tier', 'exp', 'sid'])(
  'a token whose %s was changed is refused, since its signature no longer fits',
  async (claim) => {
    const claims = { ...real.claims, [claim]: claim === 'exp' ? now() + 999_999 : 'administrator' };
    expectProblem(await present(`Bearer ${putTogether(real.header, claims, () => real.signature)}`), 401, 'unauthenticated');
  },
);

test('a token with one bit of its signature changed is refused', async () => {
  const signature = Buffer.from(real.signature, 'base64url');
  signature[10]! ^= 1;
  expectProblem(
    await present(`Bearer ${putTogether(real.header, real.claims, () => signature.toString('base64url'))}`),
    401,
    'unauthenticated',
  );
});

test("an expired token is refused, even signed by the server's own key", async () => {
  expectProblem(await signed({ iat: now() - 7200, nbf: now() - 7200, exp: now() - 3600 }), 401, 'unauthenticated');
});

test('a client learns whether its token is no good or missing', async () => {
  const expired = await signed({ iat: now() - 7200, nbf: now() - 7200, exp: now() - 3600 });
  expect(expired.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  expect((await stranger(scene.server).ask('GET', '/api/v1/account')).headers['www-authenticate']).toBe('Bearer');
});

test('a good token is taken under the scheme Bearer alone, in capitals or not', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect((await present(`${scheme} ${person.token}`)).status).toBe(200);
  for (const scheme of ['Basic', 'Digest', 'Secret', 'Bearer:']) expectProblem(await present(`${scheme} ${person.token}`), 401, 'unauthenticated');
});

test('a token that is not good yet is refused', async () => {
  expectProblem(await signed({ nbf: now() + 3600, iat: now() + 3600, exp: now() + 7200 }), 401, 'unauthenticated');
});

test.each(['iss', 'aud'])('a token with another %s is refused', async (claim) => {
  expectProblem(await signed({ [claim]: 'somebody else' }), 401, 'unauthenticated');
});

test.each(['iss', 'aud', 'exp', 'sub', 'sid'])('a token without %s is refused', async (claim) => {
  expectProblem(await signed({ [claim]: undefined }), 401, 'unauthenticated');
});

test.each([
  ['sub', 'not an id'],
  ['sub', 7],
  ['sid', 'x'],
  ['exp', 'tomorrow'],
  ['exp', 1e300],
  ['exp', -1],
  ['roles', 'administrator'],
  ['roles', [{}]],
  ['tier', 'divine'],
])('a token whose %s is %j is refused', async (claim, value) => {
  expectProblem(await signed({ [claim]: value }), 401, 'unauthenticated');
});

test('two Authorization headers are refused', async () => {
  const answer = await stranger(scene.server).ask('GET', '/api/v1/account', {
    headers: { Authorization: [`Bearer ${person.token}`, 'Bearer x'] },
  });
  expect([400, 401]).toContain(answer.status);
});

test('a token in the query is no token', async () => {
  expectProblem(await stranger(scene.server).ask('GET', `/api/v1/account?access_token=${person.token}`), 401, 'unauthenticated');
});

test('anybody can verify a token with the published keys', async () => {
  const keys = await jwks();
  const jwk = keys.find((key) => key.kid === real.header.kid)!;
  expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
  expect(Object.keys(jwk)).not.toContain('d');
  const [text, signature] = [person.token.slice(0, person.token.lastIndexOf('.')), person.token.slice(person.token.lastIndexOf('.') + 1)];
  expect(verify('sha256', Buffer.from(text), { key: publicKey(jwk), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))).toBe(
    true,
  );
});

test('the claims say who, tier and roles, and nothing that is personal', () => {
  expect(real.claims).toMatchObject({ sub: person.id, tier: 'unverified', roles: [] });
  expect(Number(real.claims.exp) - Number(real.claims.iat)).toBe(person.signedIn!.expires_in);
  expect(JSON.stringify(real.claims)).not.toContain(person.name);
});
