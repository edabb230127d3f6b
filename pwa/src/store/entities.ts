// Boards, posts and comments as last heard of, each known once: a list, a thread and the live channel speak of the same one.
import type { Board, Comment, Post, Tally } from '../api/generated';
import type { OutgoingComment } from '../offline/outbox';
import { Table } from './cell';
import { withLiveCounts, type LiveTally, type PendingVote } from './tally';

export const boards = new Table<Board>();
export const posts = new Table<Post>();
export const comments = new Table<Comment>();

/** Votes that the server has not confirmed yet, by item. Filled from the outbox. */
export const pendingVotes = new Table<{ value: PendingVote }>();

/** Comments of ours that the server has not confirmed yet, by the item they answer. Filled from the outbox. */
export const pendingComments = new Table<readonly OutgoingComment[]>();

/** Items that arrived live and have not been looked at for a while: marked as new. */
export const fresh = new Table<true>();

/** Live counts that came while a vote of ours was under way: applied behind the server's answer to it. */
const held = new Map<string, LiveTally>();

export function keepBoards(items: readonly Board[]): void {
  for (const item of items) boards.set(item.slug, item);
}

export function keepPosts(items: readonly Post[]): void {
  for (const item of items) posts.set(item.id, item);
}

export function keepComments(items: readonly Comment[]): void {
  for (const item of items) comments.set(item.id, item);
}

/** An item as the live channel tells it: without our vote, which we keep. */
export function liveItem<T extends { id: string; tally: Tally }>(table: Table<T>, item: T): void {
  const known = table.get(item.id);
  table.set(item.id, known ? { ...item, tally: withLiveCounts(known.tally, item.tally) } : item);
}

function setTally(item: string, tally: (known: Tally) => Tally): void {
  const post = posts.get(item);
  if (post) posts.set(item, { ...post, tally: tally(post.tally) });
  const comment = comments.get(item);
  if (comment) comments.set(item, { ...comment, tally: tally(comment.tally) });
}

export function liveTally(live: LiveTally): void {
  if (pendingVotes.get(live.item_id)) {
    // It may or may not count our vote already; the answer to that vote will tell.
    held.set(live.item_id, live);
    return;
  }
  setTally(live.item_id, (known) => withLiveCounts(known, live));
}

/** The server's answer to our vote. */
export function answeredTally(item: string, tally: Tally): void {
  setTally(item, () => tally);
  releaseHeld(item);
}

export function releaseHeld(item: string): void {
  const live = held.get(item);
  held.delete(item);
  if (live) setTally(item, (known) => withLiveCounts(known, live));
}

/** Forgets everything: it may hold votes of somebody who signed out. */
export function forgetEntities(): void {
  for (const table of [boards, posts, comments, pendingVotes, pendingComments, fresh]) table.clear();
  held.clear();
}
