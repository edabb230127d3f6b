import { describe, expect, it } from 'vitest';
import { percents, withLiveCounts, withVote } from '../../src/store/tally';

const tally = { agree_count: 3, disagree_count: 1, pass_count: 0 };

describe('a vote on its way', () => {
  it('is counted at once', () => {
    expect(withVote(tally, 'agree')).toEqual({ agree_count: 4, disagree_count: 1, pass_count: 0, own: 'agree' });
  });

  it('takes the place of the vote that stood', () => {
    expect(withVote({ ...tally, own: 'disagree' }, 'pass')).toEqual({
      agree_count: 3,
      disagree_count: 0,
      pass_count: 1,
      own: 'pass',
    });
  });

  it('taken back leaves none', () => {
    expect(withVote({ ...tally, own: 'agree' }, null)).toEqual({ agree_count: 2, disagree_count: 1, pass_count: 0 });
  });

  it('that already stands changes nothing', () => {
    const standing = { ...tally, own: 'agree' as const };
    expect(withVote(standing, 'agree')).toBe(standing);
    expect(withVote(tally, null)).toBe(tally);
    expect(withVote(tally, undefined)).toBe(tally);
  });

  it('never makes a count negative', () => {
    expect(withVote({ agree_count: 0, disagree_count: 0, pass_count: 0, own: 'agree' }, null).agree_count).toBe(0);
  });
});

describe('live counts', () => {
  it('keep what is known of our own vote', () => {
    expect(withLiveCounts({ ...tally, own: 'agree' }, { agree_count: 9, disagree_count: 2, pass_count: 1 })).toEqual({
      agree_count: 9,
      disagree_count: 2,
      pass_count: 1,
      own: 'agree',
    });
  });
});

describe('percents', () => {
  it('add up to 100', () => {
    for (const [agree_count, disagree_count, pass_count] of [
      [1, 1, 1],
      [31029, 11894, 6520],
      [1, 0, 0],
      [2, 2, 3],
    ] as const) {
      const shares = percents({ agree_count, disagree_count, pass_count });
      expect(shares.agree + shares.disagree + shares.pass).toBe(100);
    }
  });

  it('are all 0 without votes', () => {
    expect(percents({ agree_count: 0, disagree_count: 0, pass_count: 0 })).toEqual({ agree: 0, disagree: 0, pass: 0 });
  });
});
