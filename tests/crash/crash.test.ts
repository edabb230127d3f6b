// kill -9 under mixed load, again and again: every acknowledged write is there afterwards, nothing is done twice, the counts are
// right, no reader skipped or repeated, and who follows live sees each comment once. CRASH_ROUNDS says how often.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { kind } from '../harness/database.ts';
import type { Live } from '../harness/live.ts';
import { board, member, type Person, post } from '../harness/people.ts';
import { Place, Server } from '../harness/server.ts';
import { type Client, makeClients } from './client.ts';
import { Model } from './model.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? (kind === 'postgres' ? 8 : 20));
const CLIENTS = 16;

/** Follows the threads that all write below, across crashes; notes each comment it is told of. */
class Follower {
  readonly seen: string[] = [];
  private live?: Live;
  private lastEventId?: string;
  private taken = 0;

  constructor(private readonly topics: string[]) {}

  async follow(person: Person): Promise<void> {
    this.live = await person.live(this.topics, { lastEventId: this.lastEventId });
    this.taken = 0;
  }

  /** Takes what came until now. */
  take(): void {
    for (const event of this.live!.events.slice(this.taken)) {
      if (event.event === 'reset') throw new Error('The live channel began anew: it could not go on where it was.');
      if (event.event === 'comment.created') this.seen.push(String(event.data.id));
    }
    this.taken = this.live!.events.length;
    this.lastEventId = this.live!.lastEventId || this.lastEventId;
  }

  async hasSeen(count: number): Promise<void> {
    for (const until = Date.now() + 10_000; ; await sleep(20)) {
      this.take();
      if (this.seen.length >= count) return;
      if (Date.now() > until) throw new Error(`The follower was told of ${this.seen.length} comments instead of ${count}.`);
    }
  }
}

async function crashUnderLoad(server: Server, clients: Client[], cluster: Cluster | undefined): Promise<void> {
  let stopped = false;
  const load = Promise.all(clients.map((client) => client.work(() => stopped)));
  await sleep(50 + Math.random() * 700);
  const databaseBack = cluster?.killAll();
  await server.kill();
  stopped = true;
  await databaseBack;
  await load;
}

let cluster: Cluster | undefined;

afterAll(() => cluster?.stop());

test(`after each of ${ROUNDS} crashes under load all that was acknowledged is there, once, and counted`, async () => {
  cluster = kind === 'postgres' ? Cluster.start(true) : undefined;
  const place = new Place({ 'gateway.access_lines': 'none' }, cluster?.url);
  const model = new Model();
  let server = await Server.start({ place });
  let admin = await member(server);
  const boards = [await board(admin), await board(admin, 'statements')];
  for (let index = 0; index < 6; index++) {
    const made = await post(admin, boards[index % 2]!);
    model.addPost(made, admin.id);
    model.fixed.push(made.id);
  }
  const clients = await makeClients(server, CLIENTS, model, boards);
  const follower = new Follower(model.fixed.map((id) => `post/${id}`));
  await follower.follow(admin);

  for (let round = 1; round <= ROUNDS; round++) {
    const killsAll = cluster !== undefined && round % 3 === 0;
    await crashUnderLoad(server, clients, killsAll ? cluster : undefined);
    follower.take();
    if (killsAll) place.moveTo(cluster!.url);
    server = await Server.start({ place });
    admin = admin.at(server);
    await follower.follow(admin);
    await Promise.all(clients.map((client) => client.settle(server)));
    await model.check(admin);
    const comments = [...model.items.values()].filter((item) => item.parent).map((item) => item.id);
    await follower.hasSeen(comments.length);
    expect([...follower.seen].sort()).toEqual(comments.sort());
    const sum = (name: 'acknowledged' | 'repeated'): number => clients.reduce((total, client) => total + client[name], 0);
    console.log(
      `crash ${round}: ${sum('acknowledged')} writes acknowledged, ${sum('repeated')} of them after a repeat; ${model.items.size} records, all as they should be`,
    );
  }
  await server.stop();
  place.remove();
});
