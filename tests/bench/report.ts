// The figures, their budgets, the table and build/bench.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../harness/paths.ts';

interface Budget {
  least?: number;
  most?: number;
}

/** What has to hold, in the order of the table. */
export const budgets = {
  read_ratio_sqlite: { least: 0.7 },
  read_ratio_postgres: { least: 0.7 },
  write_group_ratio_sqlite: { least: 4 },
  write_ratio_postgres: { least: 0.7 },
  login_ratio: { least: 0.8 },
  rss_idle_mib: { most: 32 },
  rss_1000_live_mib: { most: 128 },
  start_ms: { most: 100 },
  live_p95_ms: { most: 50 },
  import_votes_per_s: { least: 20_000 },
  thread_page_flat: { most: 1.5 },
} satisfies Record<string, Budget>;

export type Name = keyof typeof budgets;

export interface Figure {
  name: Name;
  value: number;
  beside: string; // the absolute numbers
}

const holds = ({ name, value }: Figure): boolean => {
  const { least = -Infinity, most = Infinity }: Budget = budgets[name];
  return value >= least && value <= most;
};

const wanted = (name: Name): string => {
  const { least, most }: Budget = budgets[name];
  return least !== undefined ? `>= ${least}` : `<= ${most}`;
};

export const whole = (value: number): string => Math.round(value).toLocaleString('en');
const shown = (value: number): string => (value >= 1000 ? whole(value) : value >= 100 ? value.toFixed(0) : value.toFixed(2));

export function line(figure: Figure): string {
  const mark = holds(figure) ? 'ok  ' : 'MISS';
  return `${mark} ${figure.name.padEnd(25)} ${shown(figure.value).padStart(9)}  ${wanted(figure.name).padEnd(9)} ${figure.beside}`;
}

export const allHold = (figures: Figure[]): boolean => figures.every(holds);

export function write(figures: Figure[]): void {
  const rounded = figures.map(({ name, value }) => [name, Number(value.toPrecision(4))]);
  mkdirSync(join(project, 'build'), { recursive: true });
  writeFileSync(join(project, 'build/bench.json'), `${JSON.stringify(Object.fromEntries(rounded), null, 2)}\n`);
}
