// A thread as far as it was read: which comments are known below each parent, in order, and how to go on. Pure.
import type { Comment } from '../api/generated';

export interface Level {
  /** Comments directly below the parent, oldest first, as far as read. */
  ids: string[];
  /** The cursor behind the last page that was read of this level. */
  next?: string;
  /** Whether everything of this level was read, so that a new one simply follows. */
  complete: boolean;
}

export type Tree = ReadonlyMap<string, Level>;

export const EMPTY_LEVEL: Level = { ids: [], complete: false };

function joined(first: string[], then: string[]): string[] {
  const seen = new Set(first);
  return [...first, ...then.filter((id) => !seen.has(id))];
}

/** The levels that came along below the page's own: the first few replies of each of its comments. */
function withIncluded(tree: Map<string, Level>, items: readonly Comment[], own: string): void {
  const below = new Map<string, string[]>();
  for (const item of items) {
    if (item.parent_id === own) continue;
    below.set(item.parent_id, [...(below.get(item.parent_id) ?? []), item.id]);
  }
  const replies = new Map(items.map((item) => [item.id, item.reply_count]));
  for (const [parent, ids] of below) {
    const known = tree.get(parent) ?? EMPTY_LEVEL;
    const all = joined(ids, known.ids);
    tree.set(parent, {
      ...known,
      ids: all,
      complete: known.complete || all.length >= (replies.get(parent) ?? Infinity),
    });
  }
  // A comment without replies is complete as it is: its first reply may follow live.
  for (const item of items) {
    if (item.reply_count === 0 && !tree.has(item.id)) tree.set(item.id, { ids: [], complete: true });
  }
}

/**
 * The tree with one more page of the level below `parent`. The first page goes before what is known (which it may repeat: it was read
 * again), a later one behind it.
 */
export function withPage(
  tree: Tree,
  parent: string,
  items: readonly Comment[],
  next: string | undefined,
  first: boolean,
): Tree {
  const grown = new Map(tree);
  const known = tree.get(parent) ?? EMPTY_LEVEL;
  const ids = items.filter((item) => item.parent_id === parent).map((item) => item.id);
  const level: Level = {
    ids: first ? joined(ids, known.ids) : joined(known.ids, ids),
    complete: next === undefined || (first && known.complete),
  };
  // Read again from the start, the cursor of what was read beyond stays the better one.
  const cursor = first && known.next !== undefined ? known.next : next;
  if (cursor !== undefined && !level.complete) level.next = cursor;
  grown.set(parent, level);
  withIncluded(grown, items, parent);
  return grown;
}

/** The tree with a comment that has just been written, if its level is read to the end; otherwise it is among the "more". */
export function withNew(tree: Tree, comment: Comment): { tree: Tree; shown: boolean } {
  const level = tree.get(comment.parent_id);
  if (!level) return { tree, shown: false };
  if (level.ids.includes(comment.id)) return { tree, shown: true };
  if (!level.complete) return { tree, shown: false };
  const grown = new Map(tree);
  grown.set(comment.parent_id, { ...level, ids: [...level.ids, comment.id] });
  if (!grown.has(comment.id)) grown.set(comment.id, { ids: [], complete: true });
  return { tree: grown, shown: true };
}

/** A comment of one's own is shown at once, even where the level was not read to the end. */
export function withOwn(tree: Tree, comment: Comment): Tree {
  const level = tree.get(comment.parent_id) ?? EMPTY_LEVEL;
  if (level.ids.includes(comment.id)) return tree;
  const grown = new Map(tree);
  grown.set(comment.parent_id, { ...level, ids: [...level.ids, comment.id] });
  if (!grown.has(comment.id)) grown.set(comment.id, { ids: [], complete: true });
  return grown;
}

/** How many replies below a comment are known to exist but not shown. */
export function hidden(tree: Tree, parent: string, count: number): number {
  return Math.max(0, count - (tree.get(parent)?.ids.length ?? 0));
}
