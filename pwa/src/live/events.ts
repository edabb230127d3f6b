// What a live event means for what is known. Screens only add what concerns their lists.
import type { Board, Comment, Post } from '../api/generated';
import { boards, comments, fresh, liveItem, liveTally, posts } from '../store/entities';
import { outbox } from '../offline/outbox';
import type { LiveTally } from '../store/tally';
import type { ServerEvent } from './sse';

/** Those who show lists and want to hear what is new in them. */
const listeners = new Set<(change: Change) => void>();

export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function publish(change: Change): void {
  for (const listener of [...listeners]) listener(change);
}

const FRESH_FOR = 12_000;

export type Change =
  | { kind: 'post'; post: Post; created: boolean; known: boolean }
  | { kind: 'comment'; comment: Comment; created: boolean; known: boolean }
  | { kind: 'other' };

/** Marks an item as new for a while. */
export function markFresh(id: string): void {
  fresh.set(id, true);
  setTimeout(() => fresh.set(id, undefined), FRESH_FOR);
}

function ofPost(post: Post, created: boolean): Change {
  const known = posts.get(post.id) !== undefined;
  liveItem(posts, post);
  if (created && !known) countPost(post);
  return { kind: 'post', post, created, known };
}

/** What is told to all does not say on how much of it we have voted. */
function ofBoard(board: Board): void {
  boards.set(board.slug, { ...board, voted_count: boards.get(board.slug)?.voted_count });
}

/** Our own comment may come back live before the answer to sending it: the answer puts it in its place. */
function underWay(comment: Comment): boolean {
  return outbox.value.some(
    (entry) =>
      entry.kind === 'comment' &&
      entry.post === comment.post_id &&
      entry.body === comment.body &&
      (entry.parent ?? entry.post) === comment.parent_id &&
      entry.member === comment.author?.id,
  );
}

function ofComment(comment: Comment, created: boolean): Change {
  if (created && underWay(comment)) return { kind: 'other' };
  const known = comments.get(comment.id) !== undefined;
  liveItem(comments, comment);
  if (created && !known) countReply(comment);
  return { kind: 'comment', comment, created, known };
}

export function countPost(post: Post): void {
  const board = boards.get(post.board_slug);
  if (board) boards.set(board.slug, { ...board, post_count: board.post_count + 1 });
}

/** One more reply above a new comment, and one more answer to its post. */
export function countReply(comment: Comment): void {
  const parent = comments.get(comment.parent_id);
  if (parent) comments.set(parent.id, { ...parent, reply_count: parent.reply_count + 1 });
  const post = posts.get(comment.post_id);
  if (post) posts.set(post.id, { ...post, comment_count: post.comment_count + 1 });
}

/** Applies an event to what is known and tells those who show lists. */
export function hearChange(event: ServerEvent): void {
  publish(apply(event));
}

function apply(event: ServerEvent): Change {
  let data: unknown;
  try {
    data = JSON.parse(event.data);
  } catch {
    return { kind: 'other' };
  }
  switch (event.event) {
    case 'post.created':
    case 'post.changed':
    case 'post.deleted':
      return ofPost(data as Post, event.event === 'post.created');
    case 'comment.created':
    case 'comment.changed':
    case 'comment.deleted':
      return ofComment(data as Comment, event.event === 'comment.created');
    case 'vote.cast':
      liveTally(data as LiveTally);
      return { kind: 'other' };
    case 'board.changed':
      ofBoard(data as Board);
      return { kind: 'other' };
    default:
      return { kind: 'other' };
  }
}
