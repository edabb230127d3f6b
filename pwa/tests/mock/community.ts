// A small community in memory, for tests of the client without the server: the data and what requests do to it.
import type { Account, Board, Comment, Post, Tally } from '../../src/api/generated';

export interface Told {
  topics: string[];
  event: string;
  data: unknown;
}

let counter = 0;
export function newId(): string {
  return `01900000-0000-7000-8000-${(++counter).toString(16).padStart(12, '0')}`;
}

const BEGIN = Date.now() - 3_600_000 * 5;
const time = (minutes: number): string => new Date(BEGIN + minutes * 60_000).toISOString();
const empty = (): Tally => ({ agree_count: 0, disagree_count: 0, pass_count: 0 });

export class Community {
  accounts = new Map<string, { account: Account; password: string }>();
  boards: Board[] = [];
  posts: Post[] = [];
  comments: Comment[] = [];
  versions = new Map<string, number>();
  /** By item, then by account. */
  votes = new Map<string, Map<string, 'agree' | 'disagree' | 'pass'>>();
  listeners = new Set<(told: Told) => void>();

  tell(topics: string[], event: string, data: unknown): void {
    for (const listener of this.listeners) listener({ topics, event, data });
  }

  addAccount(name: string, password: string): Account {
    const roles: Account['roles'] = this.accounts.size === 0 ? ['administrator'] : [];
    const account: Account = { id: newId(), name, tier: 'unverified', roles, created_at: time(0) };
    this.accounts.set(name, { account, password });
    return account;
  }

  addBoard(slug: string, title: string, kind: Board['kind'], description = ''): Board {
    const board: Board = {
      id: newId(),
      slug,
      title,
      description,
      kind,
      created_at: time(0),
      post_count: 0,
      comment_count: 0,
      votable_count: 0,
      voter_count: 0,
      agree_count: 0,
      disagree_count: 0,
      pass_count: 0,
    };
    this.boards.unshift(board);
    return board;
  }

  addPost(board: Board, author: Account, title: string, body = '', minutes = 290): Post {
    const post: Post = {
      id: newId(),
      board_id: board.id,
      board_slug: board.slug,
      author: { id: author.id, name: author.name },
      title,
      body,
      created_at: time(minutes),
      moderation: 'accepted',
      comment_count: 0,
      tally: empty(),
    };
    this.posts.unshift(post);
    board.post_count += 1;
    this.tell([`board/${board.id}`, `post/${post.id}`], 'post.created', post);
    return post;
  }

  addComment(post: Post, parent: Comment | undefined, author: Account, body: string, minutes = 295): Comment {
    const comment: Comment = {
      id: newId(),
      post_id: post.id,
      parent_id: parent?.id ?? post.id,
      depth: (parent?.depth ?? 0) + 1,
      author: { id: author.id, name: author.name },
      body,
      created_at: time(minutes),
      reply_count: 0,
      tally: empty(),
    };
    this.comments.push(comment);
    if (parent) parent.reply_count += 1;
    post.comment_count += 1;
    const board = this.boards.find((one) => one.id === post.board_id);
    if (board) board.comment_count += 1;
    this.tell([`post/${post.id}`], 'comment.created', comment);
    return comment;
  }

  item(id: string): Post | Comment | undefined {
    return this.posts.find((post) => post.id === id) ?? this.comments.find((comment) => comment.id === id);
  }

  vote(id: string, member: string, value: 'agree' | 'disagree' | 'pass' | undefined): Tally | undefined {
    const item = this.item(id);
    if (!item) return undefined;
    const votes = this.votes.get(id) ?? new Map();
    this.votes.set(id, votes);
    const before = votes.get(member);
    if (before) item.tally[`${before as 'agree'}_count`] -= 1;
    if (value) {
      votes.set(member, value);
      item.tally[`${value}_count`] += 1;
    } else votes.delete(member);
    const root = 'post_id' in item ? item.post_id : item.id;
    const topics = [`post/${root}`, ...('board_id' in item ? [`board/${item.board_id}`] : [])];
    this.tell(topics, 'vote.cast', { item_id: id, ...item.tally });
    return this.tallyFor(item, member);
  }

  tallyFor(item: Post | Comment, member: string | undefined): Tally {
    const own = member ? this.votes.get(item.id)?.get(member) : undefined;
    return own ? { ...item.tally, own } : { ...item.tally };
  }

  seen<T extends Post | Comment>(items: T[], member: string | undefined): T[] {
    return items.map((item) => ({ ...item, tally: this.tallyFor(item, member) }));
  }

  /** A board with how much of it there is to vote on, and how much of that a member has. */
  board(board: Board, member: string | undefined): Board {
    const votable = this.posts.filter(
      (post) => post.board_id === board.id && post.moderation !== 'rejected' && post.deleted_at === undefined,
    );
    const voted = votable.filter((post) => member !== undefined && this.votes.get(post.id)?.has(member)).length;
    return { ...board, votable_count: votable.length, ...(member === undefined ? {} : { voted_count: voted }) };
  }

  /** A page of one level with up to `depth` levels below, three of each, a comment behind its parent. */
  level(parent: string, depth: number, from: number, limit: number): { items: Comment[]; more: boolean } {
    const here = this.comments.filter((comment) => comment.parent_id === parent);
    const page = here.slice(from, from + limit);
    const items = page.flatMap((comment) => [
      comment,
      ...(depth > 0 ? this.level(comment.id, depth - 1, 0, 3).items : []),
    ]);
    return { items, more: from + limit < here.length };
  }
}
