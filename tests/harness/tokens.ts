// Access tokens as an attacker makes them: any header, any claims, signed with any key or with none.
import { createHmac, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Claims = Record<string, unknown>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Claims;

export interface Token {
  header: Claims;
  claims: Claims;
  signature: string;
}

export function takeApart(token: string): Token {
  const [header, claims, signature] = token.split('.') as [string, string, string];
  return { header: decode(header), claims: decode(claims), signature };
}

/** A token with this signature, or with the one that `signer` makes of it. */
export function putTogether(header: Claims, claims: Claims, signer: (text: string) => string): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${signer(text)}`;
}

export const withEs256 =
  (key: KeyObject) =>
  (text: string): string =>
    sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
export const withHs256 =
  (secret: string | Buffer) =>
  (text: string): string =>
    createHmac('sha256', secret).update(text).digest('base64url');

/** The key that a server signs with: the test knows its data directory. */
export function signingKey(data: string, kid: string): KeyObject {
  const folder = join(data, 'keys');
  const name = readdirSync(folder).find((each) => each.startsWith(kid));
  if (!name) throw new Error(`There is no key ${kid} in ${folder}.`);
  return createPrivateKey(readFileSync(join(folder, name)));
}

export interface Jwk {
  kid: string;
  kty: string;
  crv: string;
  alg: string;
  use: string;
  x: string;
  y: string;
}

export const publicKey = (jwk: Jwk): KeyObject => createPublicKey({ key: { ...jwk }, format: 'jwk' });
export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
