// A thread on the screen: its post, and the levels of comments that were read below one root (the post itself, or one comment of it).
import { api } from '../api/api';
import type { Comment } from '../api/generated';
import { markFresh } from '../live/events';
import { Cell } from './cell';
import { keepComments, keepPosts, posts } from './entities';
import { Shelf } from './paged';
import { EMPTY_LEVEL, withNew, withOwn, withPage, type Tree } from './thread_tree';

const PAGE = 20;
/** Whoever asks for more of a long thread wants much of it. */
const NEXT_PAGE = 50;
/** Levels below the page's own that one request brings, and as many as are drawn: deeper ones have their own screen. */
export const DEPTH = 2;

export interface ThreadState {
  tree: Tree;
  loaded: boolean;
  error?: unknown;
  /** Parents whose next page is on its way. */
  loading: ReadonlySet<string>;
}

export class Thread {
  readonly state = new Cell<ThreadState>({ tree: new Map(), loaded: false, loading: new Set() });

  constructor(
    readonly post: string,
    readonly root: string,
  ) {}

  private set(change: Partial<ThreadState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }

  private get parent(): string | undefined {
    return this.root === this.post ? undefined : this.root;
  }

  async load(): Promise<void> {
    this.set({ error: undefined });
    try {
      const [post, page, root] = await Promise.all([
        api.readPost({ post: this.post }),
        api.listComments({ post: this.post, parent: this.parent, depth: DEPTH, limit: PAGE }),
        this.parent === undefined ? undefined : api.readComment({ comment: this.parent }),
      ]);
      const { data } = page;
      keepPosts([post.data]);
      keepComments(root ? [root.data, ...data.items] : data.items);
      // Anew, so that the cursor fits what is shown; pages read before are asked for again with "more".
      this.set({ tree: withPage(new Map(), this.root, data.items, data.next, true), loaded: true });
    } catch (error) {
      this.set({ error });
    }
  }

  /** Reads again up to where the reader had come, so that nothing under their eyes goes away. */
  async reload(): Promise<void> {
    const had = this.state.value.tree.get(this.root)?.ids.length ?? 0;
    try {
      let tree: Tree = new Map();
      let cursor: string | undefined;
      do {
        const { data } = await api.listComments({
          post: this.post,
          parent: this.parent,
          depth: DEPTH,
          limit: 100,
          cursor,
        });
        keepComments(data.items);
        tree = withPage(tree, this.root, data.items, data.next, cursor === undefined);
        cursor = data.next;
      } while (cursor !== undefined && (tree.get(this.root)?.ids.length ?? 0) < had);
      // Levels opened further down keep what they had.
      const grown = new Map(this.state.value.tree);
      for (const [parent, level] of tree) {
        const known = grown.get(parent);
        const longer = known && parent !== this.root && known.ids.length > level.ids.length;
        if (!longer) grown.set(parent, level);
      }
      this.set({ tree: grown, loaded: true, error: undefined });
    } catch (error) {
      if (!this.state.value.loaded) this.set({ error });
    }
  }

  /** The next page of the level below `parent`. Rejects when it cannot be read; what is shown stays. */
  async more(parent: string): Promise<void> {
    if (this.state.value.loading.has(parent)) return;
    this.set({ loading: new Set([...this.state.value.loading, parent]) });
    const level = this.state.value.tree.get(parent) ?? EMPTY_LEVEL;
    try {
      const { data } = await api.listComments({
        post: this.post,
        parent: parent === this.post ? undefined : parent,
        depth: DEPTH,
        limit: NEXT_PAGE,
        cursor: level.next,
      });
      keepComments(data.items);
      this.set({ tree: withPage(this.state.value.tree, parent, data.items, data.next, level.next === undefined) });
    } finally {
      const loading = new Set(this.state.value.loading);
      loading.delete(parent);
      this.set({ loading });
    }
  }

  /** Somebody's new comment; true when it is on the screen now. */
  arrived(comment: Comment): boolean {
    const { tree, shown } = withNew(this.state.value.tree, comment);
    this.set({ tree });
    if (shown) markFresh(comment.id);
    return shown;
  }

  /** The member's own new comment. */
  sent(comment: Comment): void {
    this.set({ tree: withOwn(this.state.value.tree, comment) });
  }

  /** After a gap in the live channel: reads the thread again if its post tells that something was added. */
  async check(): Promise<void> {
    if (!this.state.value.loaded) return;
    const known = posts.get(this.post)?.comment_count;
    try {
      const { data } = await api.readPost({ post: this.post });
      keepPosts([data]);
      if (known !== data.comment_count) await this.reload();
    } catch {
      // The next event or visit tells.
    }
  }
}

const shelf = new Shelf<Thread>(10);

export function threadOf(post: string, root: string): Thread {
  return shelf.take(`${post} ${root}`, () => new Thread(post, root));
}

/** A thread that is or was on a screen. */
export function threadShown(post: string, root: string): Thread | undefined {
  return shelf.peek(`${post} ${root}`);
}

export function forgetThreads(): void {
  shelf.clear();
}
