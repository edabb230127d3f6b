import { describe, expect, it } from 'vitest';
import { pieces, shortAddress } from '../../src/ui/text';

const links = (line: string) => pieces(line).flatMap((piece) => ('link' in piece ? [piece.link] : []));

describe('what people write', () => {
  it('is text but for addresses', () => {
    expect(pieces('See https://example.org/a, or not.')).toEqual([
      { text: 'See ' },
      { link: 'https://example.org/a' },
      { text: ', or not.' },
    ]);
  });

  it('is never taken for markup', () => {
    expect(pieces('<a href="https://x.org">x</a><script>')).toEqual([
      { text: '<a href="' },
      { link: 'https://x.org' },
      { text: '">x</a><script>' },
    ]);
  });

  it('links to http and https only', () => {
    expect(links('javascript:alert(1) data:text/html,x ftp://x.org file:///etc mailto:a@b.c')).toEqual([]);
    expect(links('http:// https://')).toEqual([]);
  });

  it('keeps brackets that belong to an address', () => {
    expect(links('(https://en.wikipedia.org/wiki/Moot_(disambiguation))')).toEqual([
      'https://en.wikipedia.org/wiki/Moot_(disambiguation)',
    ]);
    expect(links('(see https://example.org).')).toEqual(['https://example.org']);
  });

  it('finds addresses beside other scripts', () => {
    expect(links('看 https://example.org/路 。')).toEqual(['https://example.org/路']);
  });

  it('shows long addresses short', () => {
    expect(shortAddress('https://www.example.org/')).toBe('example.org');
    expect(shortAddress(`https://example.org/${'x'.repeat(90)}`)).toHaveLength(46);
  });
});
