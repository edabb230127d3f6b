// A community with an imported conversation, served with its web client, and a browser.
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { binary } from '../harness/paths.ts';
import { closeConnections } from '../harness/exchange.ts';
import { Place, runProgram, Server } from '../harness/server.ts';
import { conversation, type Conversation } from './conversation.ts';
import { openBrowser, Visitor, type VisitorOptions } from './visitor.ts';

export const BOARD = 'conversation';

export interface Scene {
  server: Server;
  browser: Browser;
  talk: Conversation;
  origin: string;
  visitors: Visitor[];
  /** Somebody new, with a browser context of their own. */
  come(options?: VisitorOptions): Promise<Visitor>;
}

function webRoot(): string {
  const root = join(dirname(binary), 'web');
  if (!existsSync(join(root, 'index.html'))) throw new Error(`The web client is not in ${root}: run \`make web\`.`);
  return root;
}

async function open(scene: Scene): Promise<Place> {
  const place = new Place({ 'gateway.web_root': webRoot() });
  scene.talk = conversation();
  const outcome = await runProgram(['--data', place.data, 'import', 'polis', scene.talk.source, '--board', BOARD]);
  expect(outcome.code, outcome.stderr).toBe(0);
  scene.server = await Server.start({ place });
  scene.origin = `http://127.0.0.1:${scene.server.port}`;
  scene.browser = await openBrowser();
  return place;
}

/** To be called at the top of a file. After each test nobody may have had anything to complain about. */
export function scene(): Scene {
  const made = { visitors: [] as Visitor[] } as Scene;
  let place: Place | undefined;
  made.come = async (options) => {
    const visitor = await Visitor.come(made.browser, made.origin, options);
    made.visitors.push(visitor);
    return visitor;
  };
  beforeAll(async () => void (place = await open(made)));
  let broken = false;
  beforeEach(({ skip }) => {
    if (broken) skip('each step begins where the one before ended, and one failed');
  });
  afterEach(({ task }) => {
    const complaints = made.visitors.flatMap((visitor) => visitor.complaints.splice(0));
    broken ||= task.result?.state === 'fail' || complaints.length > 0;
    expect(complaints).toEqual([]);
  });
  afterAll(async () => {
    await made.browser?.close();
    closeConnections();
    await made.server?.stop();
    place?.remove();
  });
  return made;
}
