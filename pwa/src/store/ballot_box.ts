// Voting on the statements of a board, one after another: the queue of those without a vote, what was voted in this visit (for undo), and how
// far one has come.
import { api } from '../api/api';
import type { Post } from '../api/generated';
import { put } from '../offline/outbox';
import { account } from '../session/session';
import { Cell } from './cell';
import { boards, keepPosts, pendingVotes, posts } from './entities';
import { Shelf } from './paged';
import type { Vote } from './tally';

const FIRST_PAGE = 20;
const PAGE = 100;
/** With fewer at hand, more are fetched. */
const FEW = 3;

export interface BallotState {
  queue: readonly string[];
  /** Votes of this visit, latest last. */
  done: readonly { id: string; vote: Vote }[];
  loaded: boolean;
  loading: boolean;
  /** Votes that stood before this visit and statements in all; absent until the board has told. */
  before?: number;
  total?: number;
  error?: unknown;
}

export class BallotBox {
  readonly state = new Cell<BallotState>({ queue: [], done: [], loaded: false, loading: false });
  /** Whether the board may have statements to vote on beyond those that were fetched. */
  private more = false;

  constructor(readonly board: string) {}

  private set(change: Partial<BallotState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }

  private open(post: Post): boolean {
    if (post.moderation === 'rejected' || post.deleted_at !== undefined || post.tally.own) return false;
    return !pendingVotes.get(post.id)?.value && !this.state.value.done.some((vote) => vote.id === post.id);
  }

  async load(): Promise<void> {
    if (this.state.value.loading) return;
    this.set({ loading: true, error: undefined });
    try {
      const { data } = account.value
        ? await api.listUnvoted({ board: this.board, limit: FIRST_PAGE })
        : await api.listPosts({ board: this.board, limit: FIRST_PAGE });
      keepPosts(data.items);
      this.add(data.items);
      this.more = account.value !== undefined && data.items.length === FIRST_PAGE;
      this.set({ loaded: true, loading: false });
    } catch (error) {
      this.set({ loading: false, error });
      return;
    }
    if (!account.value) return;
    await this.readProgress().catch(() => undefined);
    // With some at hand, voting goes on without a network.
    if (this.more) await this.refill().catch(() => undefined);
  }

  private add(items: readonly Post[]): void {
    const known = new Set(this.state.value.queue);
    const ids = items.filter((post) => !known.has(post.id) && this.open(post)).map((post) => post.id);
    if (ids.length > 0) this.set({ queue: [...this.state.value.queue, ...ids] });
  }

  /** Votes of this visit may be in the board's count already; so what stood before is taken over only while there are none. */
  private async readProgress(): Promise<void> {
    const { data } = await api.readBoard({ board: this.board });
    boards.set(this.board, data);
    this.set({ total: data.votable_count });
    if (this.state.value.done.length === 0 && data.voted_count !== undefined)
      this.set({ before: Math.max(0, data.voted_count + this.underWay()) });
  }

  /** What votes that the server has not got yet will change in its count. */
  private underWay(): number {
    let change = 0;
    for (const item of pendingVotes.keys()) {
      const post = posts.get(item);
      if (post?.board_slug !== this.board || post.moderation === 'rejected') continue;
      change += Number(pendingVotes.get(item)?.value != null) - Number(post.tally.own !== undefined);
    }
    return change;
  }

  /** More statements, when those at hand run out. */
  private async refill(): Promise<void> {
    const { data } = await api.listUnvoted({ board: this.board, limit: PAGE });
    // A vote under way is not in the answer yet.
    keepPosts(data.items.filter((post) => !pendingVotes.get(post.id)));
    this.add(data.items);
    this.more = data.items.length === PAGE;
  }

  async vote(id: string, vote: Vote): Promise<void> {
    const { queue, done } = this.state.value;
    this.set({ queue: queue.filter((other) => other !== id), done: [...done, { id, vote }] });
    await put({ kind: 'vote', item: id, value: vote });
    if (this.more && this.state.value.queue.length < FEW) await this.refill().catch(() => undefined);
  }

  /** Takes the last vote of this visit back and shows its statement again. */
  async undo(): Promise<void> {
    const { queue, done } = this.state.value;
    const last = done[done.length - 1];
    if (!last) return;
    this.set({ queue: [last.id, ...queue], done: done.slice(0, -1) });
    await put({ kind: 'vote', item: last.id, value: null });
  }

  /** A vote that the server did not take: its statement comes again. */
  refused(id: string): void {
    const { queue, done } = this.state.value;
    if (!done.some((vote) => vote.id === id)) return;
    this.set({ queue: [id, ...queue], done: done.filter((vote) => vote.id !== id) });
  }

  /** A statement that was just written. */
  arrived(post: Post): void {
    const known = this.state.value.queue.includes(post.id);
    if (known || !this.state.value.loaded || !this.open(post)) return;
    this.add([post]);
    const { total } = this.state.value;
    if (total !== undefined) this.set({ total: total + 1 });
  }

  current(): Post | undefined {
    const id = this.state.value.queue[0];
    return id === undefined ? undefined : posts.get(id);
  }
}

const shelf = new Shelf<BallotBox>(4);

export function ballotBox(board: string): BallotBox {
  return shelf.take(board, () => new BallotBox(board));
}

export function ballotBoxes(board: string | undefined): BallotBox | undefined {
  return board === undefined ? undefined : shelf.peek(board);
}

export function forgetBallotBoxes(): void {
  shelf.clear();
}
