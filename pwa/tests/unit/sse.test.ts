import { describe, expect, it } from 'vitest';
import { backoff, EventParser } from '../../src/live/sse';

describe('the stream of events', () => {
  it('is read whatever pieces it comes in', () => {
    const text = 'id: forum:1\nevent: vote.cast\ndata: {"a":1}\n\n: still there\n\nid: forum:2\ndata: x\ndata: y\n\n';
    const whole = new EventParser().push(text);
    const parser = new EventParser();
    const pieces = [...text].flatMap((letter) => parser.push(letter));
    expect(pieces).toEqual(whole);
    expect(whole).toEqual([
      { id: 'forum:1', event: 'vote.cast', data: '{"a":1}' },
      { id: 'forum:2', event: 'message', data: 'x\ny' },
    ]);
  });

  it('may end its lines in any of three ways', () => {
    const parser = new EventParser();
    expect(parser.push('data: a\r\n\r\ndata: b\n\n').map((event) => event.data)).toEqual(['a', 'b']);
    expect(new EventParser().push('data: a\r\rdata: b\r\r\n').map((event) => event.data)).toEqual(['a', 'b']);
  });

  it('is not confused by a line break cut in two', () => {
    const parser = new EventParser();
    expect(parser.push('data: a\r')).toEqual([]);
    expect(parser.push('\n\r')).toEqual([]);
    expect(parser.push('\ndata: b\r\n\r\n').map((event) => event.data)).toEqual(['a', 'b']);
  });

  it('keeps an id that comes without an event', () => {
    const parser = new EventParser();
    expect(parser.push('id: 7\n\n')).toEqual([]);
    expect(parser.lastId).toBe('7');
  });

  it('tells of a reset without data', () => {
    expect(new EventParser().push('event: reset\n\n')).toEqual([{ id: undefined, event: 'reset', data: '' }]);
  });

  it('takes no line without an end', () => {
    expect(() => new EventParser().push('x'.repeat(1_000_001))).toThrow();
  });
});

describe('the wait before the next attempt', () => {
  it('grows to a minute and is never the same for all', () => {
    expect(backoff(0, 0)).toBe(500);
    expect(backoff(0, 1)).toBe(1_000);
    expect(backoff(3, 0)).toBe(4_000);
    expect(backoff(50, 1)).toBe(60_000);
  });
});
