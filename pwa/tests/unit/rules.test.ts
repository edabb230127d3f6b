import { describe, expect, it } from 'vitest';
import { route, sameThing } from '../../src/routes';
import { nameError, passwordError, slugError, slugOf } from '../../src/screens/sign_rules';
import { describeAgent } from '../../src/session/device';

const ID = '0190aaaa-0000-7000-8000-000000000001';

describe('addresses', () => {
  it('lead to screens', () => {
    expect(route('/')).toEqual({ screen: 'boards' });
    expect(route('/sign-in')).toEqual({ screen: 'sign_in' });
    expect(route('/b/village-hall')).toEqual({ screen: 'board', slug: 'village-hall', tab: 'main' });
    expect(route('/b/village-hall/agreement')).toEqual({ screen: 'board', slug: 'village-hall', tab: 'agreement' });
    expect(route('/b/village-hall/write/')).toEqual({ screen: 'write', slug: 'village-hall' });
    expect(route(`/p/${ID}`)).toEqual({ screen: 'thread', post: ID });
    expect(route(`/p/${ID}/c/${ID}`)).toEqual({ screen: 'thread', post: ID, comment: ID });
  });

  it('are the same thing on another tab, and only there', () => {
    expect(sameThing('/b/square', '/b/square/agreement')).toBe(true);
    expect(sameThing('/b/square', '/b/square/write')).toBe(false);
    expect(sameThing('/b/square', '/b/circle')).toBe(false);
    expect(sameThing('/', '/')).toBe(true);
    expect(sameThing('/', '/b/square')).toBe(false);
  });

  it('that are none of ours lead nowhere', () => {
    for (const path of ['/x', '/constructor', '/b/', '/b/Up', '/b/a/b/c', '/p/1', `/p/${ID}/x/${ID}`, `/p/${ID}/c`])
      expect(route(path)).toEqual({ screen: 'not_found' });
  });
});

describe('names and passwords', () => {
  it('are checked as the server checks them', () => {
    expect(nameError('asha_1-2', 'up')).toBeNull();
    expect(nameError('', 'up')).toBe('name_missing');
    expect(nameError('as', 'up')).toBe('name_misfit');
    expect(nameError('Äsha', 'up')).toBe('name_misfit');
    expect(passwordError('1234567', 'up')).toBe('password_short');
    expect(passwordError('12345678', 'up')).toBeNull();
  });

  it('are not judged when signing in', () => {
    expect(nameError('X', 'in')).toBeNull();
    expect(passwordError('1', 'in')).toBeNull();
    expect(passwordError('', 'in')).toBe('password_missing');
  });
});

describe('short names of boards', () => {
  it('are made of titles', () => {
    expect(slugOf('  Paths & Roads, 2026!')).toBe('paths-roads-2026');
    expect(slugOf('Café Österreich')).toBe('cafe-osterreich');
    expect(slugOf('गाँव')).toBe('');
    expect(slugOf(`${'a'.repeat(59)} b`)).toBe('a'.repeat(59));
  });

  it('must be asked for where a title gives none', () => {
    expect(slugError('')).toBe('slug_misfit');
    expect(slugError('paths-roads')).toBeNull();
  });
});

describe('devices', () => {
  it('are told by browser and system', () => {
    const agent =
      'Mozilla/5.0 (Linux; Android 13; SM-A127F) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36';
    expect(describeAgent(agent)).toEqual({ browser: 'Samsung Internet', system: 'Android' });
  });
});
