// The usual scene of a test file: a server of its own with an administrator, gone when the file is done.
import { afterAll, beforeAll } from 'vitest';
import { member, type Person } from './people.ts';
import { Server, type ServerOptions } from './server.ts';

export interface World {
  server: Server;
  administrator: Person;
}

/** To be called at the top of a file; the world is there once tests run. */
export function world(options: ServerOptions = {}): World {
  const scene = {} as World;
  beforeAll(async () => {
    scene.server = await Server.start(options);
    scene.administrator = await member(scene.server, 'administrator');
  });
  afterAll(async () => {
    await scene.server?.stop();
  });
  return scene;
}
