// What the server has acknowledged, as the crash test remembers it: the yardstick for what must be there after a crash.
import { expect } from 'vitest';
import type { Ballot, Board, Comment, Post, Tally } from '../generated/api.ts';
import { boardWhen, type Person } from '../harness/people.ts';

type Value = Ballot['value'];

export interface Item {
  id: string;
  post: string; // of its thread: itself, for a post
  parent?: string;
  author: string;
  text: string;
  doomed: boolean; // its author may delete it: nobody votes on it, so that its counts are known
  deleted: boolean;
  replies: number;
  votes: Map<string, Value>; // by member
}

export class Model {
  readonly items = new Map<string, Item>();
  readonly fixed: string[] = []; // the posts that everybody writes below
  private readonly slugs = new Map<string, string>(); // of the board of each post
  private readonly voters = new Map<string, Map<string, number>>(); // by board: how many votes of whom

  addPost(post: Post, author: string): void {
    if (this.items.has(post.id)) return;
    this.slugs.set(post.id, post.board_slug);
    this.items.set(post.id, {
      id: post.id,
      post: post.id,
      author,
      text: post.title,
      doomed: false,
      deleted: false,
      replies: 0,
      votes: new Map(),
    });
  }

  addComment(comment: Comment, author: string, doomed: boolean): void {
    if (this.items.has(comment.id)) return;
    this.items.set(comment.id, {
      id: comment.id,
      post: comment.post_id,
      parent: comment.parent_id,
      author,
      text: comment.body,
      doomed,
      deleted: false,
      replies: 0,
      votes: new Map(),
    });
    this.items.get(comment.parent_id)!.replies++;
  }

  vote(item: string, member: string, value: Value | undefined): void {
    const { votes, post } = this.items.get(item)!;
    const change = Number(value !== undefined) - Number(votes.has(member));
    if (value) votes.set(member, value);
    else votes.delete(member);
    const slug = this.slugs.get(post)!;
    const voters = this.voters.get(slug) ?? new Map<string, number>();
    voters.set(member, (voters.get(member) ?? 0) + change);
    this.voters.set(slug, voters);
  }

  /** Everything that was ever acknowledged is there, as it was acknowledged, and counted once. */
  async check(reader: Person): Promise<void> {
    const shown = new Set<string>();
    for (const slug of new Set(this.slugs.values())) {
      const posts = await pages((cursor) => reader.api.listPosts({ board: slug, limit: 100, cursor }));
      for (const post of posts) this.checkPost(post);
      for (const post of posts) shown.add(post.id);
      for (const post of posts.filter((each) => each.comment_count > 0)) await this.checkThread(reader, post, shown);
    }
    expect(shown.size).toBe(this.items.size);
    for (const slug of new Set(this.slugs.values())) await this.checkBoard(reader, slug);
  }

  private checkPost(post: Post): void {
    const item = this.items.get(post.id);
    if (!item) throw new Error(`The post ${post.id} (“${post.title}”) was never acknowledged, nor repeated.`);
    expect([post.id, post.title]).toEqual([item.id, item.deleted ? '' : item.text]);
    expect([post.id, { ...post.tally, own: undefined }]).toEqual([post.id, tallyOf(item)]);
  }

  private async checkThread(reader: Person, post: Post, shown: Set<string>): Promise<void> {
    let count = 0;
    const levels: (string | undefined)[] = [undefined];
    while (levels.length > 0) {
      const parent = levels.shift();
      const comments = await pages((cursor) => reader.api.listComments({ post: post.id, parent, depth: 0, limit: 100, cursor }));
      for (const comment of comments) {
        this.checkComment(comment);
        shown.add(comment.id);
        if (comment.reply_count > 0) levels.push(comment.id);
      }
      count += comments.length;
    }
    expect([post.id, post.comment_count]).toEqual([post.id, count]);
  }

  private checkComment(comment: Comment): void {
    const item = this.items.get(comment.id);
    if (!item) throw new Error(`The comment ${comment.id} (“${comment.body}”) was never acknowledged, nor repeated.`);
    expect([comment.id, comment.body]).toEqual([item.id, item.deleted ? '' : item.text]);
    expect([comment.id, comment.reply_count]).toEqual([item.id, item.replies]);
    expect([comment.id, { ...comment.tally, own: undefined }]).toEqual([comment.id, tallyOf(item)]);
  }

  /** The totals of a board, which a reader of the log keeps, are the sums: it has skipped and repeated nothing. */
  private async checkBoard(reader: Person, slug: string): Promise<void> {
    const items = [...this.items.values()].filter((item) => this.slugs.get(item.post) === slug);
    const sum = (name: keyof Tally): number => items.reduce((total, item) => total + Number(tallyOf(item)[name]), 0);
    const living = items.filter((item) => !item.deleted);
    const want: Partial<Board> = {
      post_count: living.filter((item) => !item.parent).length,
      comment_count: living.filter((item) => item.parent).length,
      voter_count: [...(this.voters.get(slug)?.values() ?? [])].filter((count) => count > 0).length,
      agree_count: sum('agree_count'),
      disagree_count: sum('disagree_count'),
      pass_count: sum('pass_count'),
    };
    const fits = (board: Board): boolean => Object.entries(want).every(([name, value]) => board[name as keyof Board] === value);
    await boardWhen(reader, slug, fits, 10_000).catch((error: unknown) => {
      throw new Error(`The totals of ${slug} should be ${JSON.stringify(want)}. ${String(error)}`);
    });
  }
}

function tallyOf(item: Item): Tally {
  const count = (value: Value): number => [...item.votes.values()].filter((each) => each === value).length;
  return { agree_count: count('agree'), disagree_count: count('disagree'), pass_count: count('pass') };
}

/** Reads a listing to its end. */
async function pages<T>(page: (cursor?: string) => Promise<{ data: { items: T[]; next?: string } }>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await page(cursor);
    items.push(...data.items);
    cursor = data.next;
  } while (cursor);
  return items;
}
