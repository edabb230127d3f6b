// The smallest store that serves: a value that tells its followers when it changes, and a table of such values.
import { useEffect, useReducer } from 'preact/hooks';

export class Cell<T> {
  private followers = new Set<() => void>();

  constructor(private current: T) {}

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const follower of [...this.followers]) follower();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.current));
  }

  follow(follower: () => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  get followed(): boolean {
    return this.followers.size > 0;
  }
}

/** Cells by key, made when first asked for. */
export class Table<T> {
  private cells = new Map<string, Cell<T | undefined>>();

  cell(key: string): Cell<T | undefined> {
    let cell = this.cells.get(key);
    if (!cell) {
      cell = new Cell<T | undefined>(undefined);
      this.cells.set(key, cell);
    }
    return cell;
  }

  get(key: string): T | undefined {
    return this.cells.get(key)?.value;
  }

  set(key: string, value: T | undefined): void {
    this.cell(key).set(value);
  }

  keys(): string[] {
    return [...this.cells.keys()].filter((key) => this.cells.get(key)?.value !== undefined);
  }

  /** Forgets all values; whoever still follows one sees it go. */
  clear(): void {
    for (const [key, cell] of this.cells) {
      cell.set(undefined);
      if (!cell.followed) this.cells.delete(key);
    }
  }
}

/** The value of a cell, drawn again whenever it changes. */
export function useCell<T>(cell: Cell<T>): T {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const seen = cell.value;

  useEffect(() => {
    // What changed between the drawing and this effect would be missed otherwise.
    if (!Object.is(seen, cell.value)) draw(undefined);
    return cell.follow(() => draw(undefined));
  }, [cell]);
  return seen;
}
