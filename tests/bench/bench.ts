// The benchmark: prints a table, writes build/bench.json. `npm run bench -- [--quick] [--check] [--only part,part]`
import setup from '../harness/setup.ts';
import { allHold, line, write, type Figure } from './report.ts';

const words = process.argv.slice(2);
const quick = words.includes('--quick');
const only = words.includes('--only') ? words[words.indexOf('--only') + 1]!.split(',') : undefined;

type Part = () => Promise<Figure[]>;

/** The parts; loaded late, since they need the client that `setup` makes. */
async function parts(): Promise<Record<string, Part>> {
  const [{ reads }, { writesOnSqlite, writesOnPostgres }, { makePlace }, { Cluster }] = await Promise.all([
    import('./reads.ts'),
    import('./writes.ts'),
    import('./scene.ts'),
    import('../harness/cluster.ts'),
  ]);
  const withCluster = async (measure: (url: string) => Promise<Figure>): Promise<Figure[]> => {
    const cluster = Cluster.start(true);
    try {
      return [await measure(cluster.url)];
    } finally {
      cluster.stop();
    }
  };
  return {
    read_sqlite: async () => [await reads(await makePlace(), quick)],
    read_postgres: () => withCluster(async (url) => reads(await makePlace(url), quick)),
    write_sqlite: async () => [await writesOnSqlite(quick)],
    write_postgres: () => withCluster(async (url) => writesOnPostgres(await makePlace(url), url, quick)),
    login: async () => [await (await import('./logins.ts')).logins(quick)],
    footprint: async () => (await import('./footprint.ts')).footprint(),
    live: async () => [await (await import('./live.ts')).live(quick)],
    import: async () => [await (await import('./conversation.ts')).conversation(quick)],
    pages: async () => [await (await import('./pages.ts')).pages(quick)],
  };
}

async function measure(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, part] of Object.entries(await parts())) {
    if (only && !only.includes(name)) continue;
    for (const figure of await part()) {
      console.log(line(figure));
      figures.push(figure);
    }
  }
  return figures;
}

const clean = setup();
try {
  const figures = await measure();
  if (!only) write(figures); // some figures alone are no report
  if (words.includes('--check') && !allHold(figures)) process.exitCode = 1;
} finally {
  (await import('../harness/exchange.ts')).closeConnections();
  clean();
}
