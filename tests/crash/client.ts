// One of many who use the server while it is killed. What was on its way then is repeated after the restart, under the same key.
import { ApiProblem, type Board } from '../generated/api.ts';
import { freshKey, member, Person, unique } from '../harness/people.ts';
import type { Server } from '../harness/server.ts';
import type { Item, Model } from './model.ts';

/** Something to ask for: done once however often it is sent; noted in the model once it was acknowledged. */
type Intent = (person: Person) => Promise<void>;

const VALUES = ['agree', 'disagree', 'pass'] as const;

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)]!;
}

/** Whether it failed because the server was gone or its database away, so that nobody knows whether it was done. */
function isUncertain(error: unknown): boolean {
  if (error instanceof ApiProblem) return error.status === 503;
  const code = (error as { code?: string }).code;
  return code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE' || (error as Error).message === 'socket hang up';
}

export class Client {
  acknowledged = 0;
  repeated = 0; // were on their way when the server went
  private pending?: Intent;
  private own: string[] = []; // comments that it may delete

  constructor(
    private person: Person,
    private readonly model: Model,
    private readonly boards: Board[],
  ) {}

  /** Asks for one thing after the other until the server is gone, or until told to stop. */
  async work(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      this.pending = this.choose();
      if (!(await this.attempt())) return;
    }
  }

  /** Repeats what was on its way when the server went; then all of it is known. */
  async settle(server: Server): Promise<void> {
    this.person = this.person.at(server);
    if (this.pending) this.repeated++;
    for (const until = Date.now() + 20_000; this.pending; await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (await this.attempt()) return;
      if (Date.now() > until) throw new Error('A request that was repeated after a crash did not succeed within 20 s.');
    }
  }

  private async attempt(): Promise<boolean> {
    try {
      await this.pending!(this.person);
      this.pending = undefined;
      this.acknowledged++;
      return true;
    } catch (error) {
      if (!isUncertain(error)) throw error;
      return false;
    }
  }

  private choose(): Intent {
    const chance = Math.random();
    if (chance < 0.3) return this.comment();
    if (chance < 0.35) return this.post();
    if (chance < 0.38 && this.own.length > 0) return this.remove(this.own.pop()!);
    if (chance < 0.385) return this.signUp();
    if (chance < 0.5) return this.withdraw(this.living());
    return this.vote(this.living());
  }

  private living(): Item {
    const items = [...this.model.items.values()].slice(-400);
    for (let tries = 0; tries < 20; tries++) {
      const item = pick(items);
      if (!item.doomed) return item;
    }
    return this.model.items.get(this.model.fixed[0]!)!;
  }

  private comment(): Intent {
    const idempotencyKey = freshKey();
    const body = `A comment ${unique('c')}`;
    const post = pick(this.model.fixed);
    const siblings = [...this.model.items.values()]
      .slice(-50)
      .filter((item) => item.post === post && item.parent && !item.deleted && item.author === this.person.id);
    const parent = siblings.length > 0 && Math.random() < 0.3 ? pick(siblings) : undefined;
    const doomed = Math.random() < 0.2;
    return async (person) => {
      const { data } = await person.api.createComment({ post, body: { body, parent: parent?.id }, idempotencyKey });
      this.model.addComment(data, person.id, doomed);
      if (doomed) this.own.push(data.id);
    };
  }

  private post(): Intent {
    const idempotencyKey = freshKey();
    const title = `A post ${unique('p')}`;
    const { slug } = pick(this.boards);
    return async (person) =>
      this.model.addPost((await person.api.createPost({ board: slug, body: { title }, idempotencyKey })).data, person.id);
  }

  private remove(comment: string): Intent {
    const item = this.model.items.get(comment)!;
    return async (person) => {
      await person.api.deleteComment({ comment }).catch((error: unknown) => {
        if (!(error instanceof ApiProblem && error.status === 410)) throw error; // it was done before the crash
      });
      item.deleted = true;
    };
  }

  private vote(item: Item): Intent {
    const value = pick(VALUES);
    return async (person) => {
      await person.api.castVote({ item: item.id, body: { value } });
      this.model.vote(item.id, person.id, value);
    };
  }

  private withdraw(item: Item): Intent {
    return async (person) => {
      await person.api.withdrawVote({ item: item.id });
      this.model.vote(item.id, person.id, undefined);
    };
  }

  private signUp(): Intent {
    const idempotencyKey = freshKey();
    const body = { name: unique('new'), password: 'a long enough password' };
    return async (person) => {
      const fresh = new Person(person.server);
      fresh.signedIn = (await fresh.api.signUp({ body, idempotencyKey })).data;
      if ((await fresh.api.readAccount()).data.name !== body.name) throw new Error('Another account was made than was asked for.');
    };
  }
}

export async function makeClients(server: Server, count: number, model: Model, boards: Board[]): Promise<Client[]> {
  const people = await Promise.all(Array.from({ length: count }, () => member(server)));
  return people.map((person) => new Client(person, model, boards));
}
