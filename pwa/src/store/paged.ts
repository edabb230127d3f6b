// A list that is read page by page: ids only, for the items themselves are known in one place.
import { Cell } from './cell';

export interface Page<T> {
  items: T[];
  next?: string;
}

export interface ListState {
  ids: readonly string[];
  next?: string;
  loaded: boolean;
  loading: boolean;
  error?: unknown;
}

export interface Source<T> {
  read(cursor?: string): Promise<Page<T>>;
  keep(items: readonly T[]): void;
  id(item: T): string;
}

export class PagedList<T> {
  readonly state = new Cell<ListState>({ ids: [], loaded: false, loading: false });
  private read_at = 0;

  constructor(private source: Source<T>) {}

  private set(change: Partial<ListState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }

  /** Reads the first page; what was known beyond it stays behind it. */
  async load(): Promise<void> {
    if (this.state.value.loading) return;
    this.set({ loading: true, error: undefined });
    try {
      const page = await this.source.read();
      this.source.keep(page.items);
      const ids = page.items.map(this.source.id);
      const known = this.state.value;
      // Where nothing of the old list shows up again it is another list by now.
      const overlaps = known.ids.some((id) => ids.includes(id));
      const rest = overlaps ? known.ids.filter((id) => !ids.includes(id)) : [];
      this.set({
        ids: [...ids, ...rest],
        next: rest.length > 0 ? known.next : page.next,
        loaded: true,
        loading: false,
      });
      this.read_at = Date.now();
    } catch (error) {
      this.set({ loading: false, error });
    }
  }

  /** Reads the next page. Rejects when it cannot be read; what is shown stays. */
  async more(): Promise<void> {
    const { next, loading } = this.state.value;
    if (loading || next === undefined) return;
    this.set({ loading: true });
    try {
      const page = await this.source.read(next);
      this.source.keep(page.items);
      const known = this.state.value.ids;
      const ids = page.items.map(this.source.id).filter((id) => !known.includes(id));
      this.set({ ids: [...known, ...ids], next: page.next });
    } finally {
      this.set({ loading: false });
    }
  }

  addFirst(id: string): void {
    if (this.state.value.loaded && !this.state.value.ids.includes(id)) this.set({ ids: [id, ...this.state.value.ids] });
  }

  olderThan(milliseconds: number): boolean {
    return Date.now() - this.read_at > milliseconds;
  }
}

/** The lists of the last screens, so that going back shows at once what was there, at the same height. */
export class Shelf<T> {
  private kept = new Map<string, T>();

  constructor(private most: number) {}

  take(key: string, make: () => T): T {
    const found = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, found);
    const oldest = this.kept.keys().next().value;
    if (this.kept.size > this.most && oldest !== undefined) this.kept.delete(oldest);
    return found;
  }

  peek(key: string): T | undefined {
    return this.kept.get(key);
  }

  clear(): void {
    this.kept.clear();
  }
}
