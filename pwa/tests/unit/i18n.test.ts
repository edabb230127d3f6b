import { describe, expect, it } from 'vitest';
import { en, type Message } from '../../src/i18n/en';
import { hi } from '../../src/i18n/hi';
import { ago, fill, pickLanguage, regional } from '../../src/i18n/i18n';

const named = (message: Message): string[] => {
  const texts = typeof message === 'string' ? [message] : Object.values(message);
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)))].sort();
};

describe('the tables of messages', () => {
  it('name the same values in every language', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[])
      expect([key, named(hi[key])]).toEqual([key, named(en[key])]);
  });

  it('have every plural form that the language needs', () => {
    for (const [tag, table] of [
      ['en', en],
      ['hi', hi],
    ] as const) {
      const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
      for (const [key, message] of Object.entries(table as Record<string, Message>)) {
        if (typeof message === 'string') continue;
        expect([tag, key, Object.keys(message).sort()]).toEqual([tag, key, [...forms].sort()]);
      }
    }
  });

  it('are Hindi in Hindi', () => {
    const latin = Object.entries(hi).filter(
      ([key, message]) => typeof message === 'string' && !/[\u0900-\u097f]/.test(message) && key !== 'about_version',
    );
    expect(latin).toEqual([]);
  });
});

describe('a message', () => {
  const rules = new Intl.PluralRules('en');
  const numbers = new Intl.NumberFormat('en');

  it('has its values put in, numbers as the language writes them', () => {
    expect(fill('{n} of {total}', { n: 12, total: 49997 }, rules, numbers)).toBe('12 of 49,997');
  });

  it('is chosen by number', () => {
    const message = { one: '{n} vote', other: '{n} votes' };
    expect([0, 1, 2].map((n) => fill(message, { n }, rules, numbers))).toEqual(['0 votes', '1 vote', '2 votes']);
  });

  it('does not fill in what a value brings along', () => {
    expect(fill('{a}{b}', { a: '{b}', b: 'x' }, rules, numbers)).toBe('{b}x');
  });
});

describe('the language', () => {
  it('is the first wish that we speak', () => {
    expect(pickLanguage([null, 'de-DE', 'hi-IN', 'en']).tag).toBe('hi');
    expect(pickLanguage(['tlh']).tag).toBe('en');
  });
});

describe('the region', () => {
  it('is that of the first wish in the language', () => {
    expect(regional('en', ['hi-IN', 'en-IN', 'en'])).toBe('en-IN');
    expect(regional('hi', ['en-GB'])).toBe('hi');
  });
});

describe('times', () => {
  const now = Date.parse('2026-05-10T12:00:00Z');

  it('are told as they are spoken of', () => {
    expect(ago('2026-05-10T11:59:50Z', now)).toBe('now');
    expect(ago('2026-05-10T11:30:00Z', now)).toBe('30 minutes ago');
    expect(ago('2026-05-09T12:00:00Z', now)).toBe('yesterday');
    expect(ago('2026-05-10T12:00:30Z', now)).toBe('now');
  });

  it('are dates when long ago', () => {
    expect(ago('2014-05-10T12:00:00Z', now)).toBe('May 10, 2014');
  });
});
