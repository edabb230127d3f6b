import { describe, expect, it } from 'vitest';
import type { Comment } from '../../src/api/generated';
import { hidden, withNew, withOwn, withPage, type Tree } from '../../src/store/thread_tree';

function comment(id: string, parent: string, replies = 0): Comment {
  return {
    id,
    post_id: 'post',
    parent_id: parent,
    depth: 1,
    body: id,
    created_at: '2026-01-01T00:00:00Z',
    reply_count: replies,
    tally: { agree_count: 0, disagree_count: 0, pass_count: 0 },
  };
}

const none: Tree = new Map();

describe('a page of a thread', () => {
  const page = withPage(
    none,
    'post',
    [comment('a', 'post', 5), comment('a1', 'a'), comment('a2', 'a'), comment('a3', 'a'), comment('b', 'post')],
    'next',
    true,
  );

  it('puts each comment below its parent', () => {
    expect(page.get('post')).toEqual({ ids: ['a', 'b'], next: 'next', complete: false });
    expect(page.get('a')?.ids).toEqual(['a1', 'a2', 'a3']);
  });

  it('knows how many replies it does not show', () => {
    expect(hidden(page, 'a', 5)).toBe(2);
    expect(hidden(page, 'b', 0)).toBe(0);
  });

  it('calls a level complete when all of it came along', () => {
    expect(page.get('a')?.complete).toBe(false);
    expect(
      withPage(none, 'post', [comment('a', 'post', 1), comment('a1', 'a')], undefined, true).get('a')?.complete,
    ).toBe(true);
  });

  it('is followed by the next one without repeating anything', () => {
    const both = withPage(page, 'post', [comment('b', 'post'), comment('c', 'post')], undefined, false);
    expect(both.get('post')).toEqual({ ids: ['a', 'b', 'c'], complete: true });
  });

  it('of replies read from the start takes in those that came along before', () => {
    const more = withPage(
      page,
      'a',
      ['a1', 'a2', 'a3', 'a4', 'a5'].map((id) => comment(id, 'a')),
      undefined,
      true,
    );
    expect(more.get('a')).toEqual({ ids: ['a1', 'a2', 'a3', 'a4', 'a5'], complete: true });
    expect(more.get('post')?.ids).toEqual(['a', 'b']);
  });

  it('puts an own reply shown early in its place once the rest is read', () => {
    const early = withOwn(page, comment('mine', 'a'));
    const more = withPage(
      early,
      'a',
      ['a1', 'a2', 'a3', 'a4', 'mine'].map((id) => comment(id, 'a')),
      undefined,
      true,
    );
    expect(more.get('a')?.ids).toEqual(['a1', 'a2', 'a3', 'a4', 'mine']);
  });
});

describe('a new comment', () => {
  const page = withPage(none, 'post', [comment('a', 'post', 0), comment('b', 'post', 9)], undefined, true);

  it('follows where the level was read to the end', () => {
    const { tree, shown } = withNew(page, comment('c', 'post'));
    expect(shown).toBe(true);
    expect(tree.get('post')?.ids).toEqual(['a', 'b', 'c']);
  });

  it('may be the first reply', () => {
    const { tree, shown } = withNew(page, comment('a1', 'a'));
    expect(shown).toBe(true);
    expect(tree.get('a')?.ids).toEqual(['a1']);
  });

  it('waits among the rest where it was not', () => {
    const { tree, shown } = withNew(page, comment('b10', 'b'));
    expect(shown).toBe(false);
    expect(tree).toBe(page);
  });

  it('is not shown twice', () => {
    const once = withNew(page, comment('c', 'post')).tree;
    expect(withNew(once, comment('c', 'post')).tree).toBe(once);
  });

  it('of our own is shown in any case', () => {
    expect(withOwn(page, comment('mine', 'b')).get('b')?.ids).toEqual(['mine']);
  });
});
