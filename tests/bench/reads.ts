// read_ratio_*: a signed-in read of one post, all of gateway and module in the way, over the bare program.
import { join } from 'node:path';
import { compare, loadAll } from './measure.ts';
import { whole, type Figure } from './report.ts';
import { addPosts, Bare, openScene, pathsFile, settle, type Scene } from './scene.ts';
import type { Place } from '../harness/server.ts';

const POSTS = 10_000;

export async function reads(place: Place, quick: boolean): Promise<Figure> {
  const scene = await openScene(place);
  const ids = await addPosts(scene, quick ? POSTS / 10 : POSTS);
  await settle(scene);
  const database = place.database?.url('forum') ?? join(place.data, 'forum.sqlite');
  const bare = await Bare.start(database, scene.person.id);
  try {
    return await compareReads(place, scene, bare, ids, quick);
  } finally {
    bare.stop();
    await scene.server.stop();
  }
}

async function compareReads(place: Place, scene: Scene, bare: Bare, ids: string[], quick: boolean): Promise<Figure> {
  const read = (url: string, paths: string) => async (): Promise<number> =>
    (await loadAll({ url, words: ['read', scene.person.token, paths], seconds: quick ? 1 : 2 })).rate;
  const ours = read(scene.url, pathsFile(place, 'ours', ids.map((id) => `/api/v1/posts/${id}`)));
  const theirs = read(bare.url, pathsFile(place, 'theirs', ids.map((id) => `/read/${id}`)));
  const compared = await compare(quick ? 3 : 5, ours, theirs);
  return {
    name: place.database ? 'read_ratio_postgres' : 'read_ratio_sqlite',
    value: compared.ratio,
    beside: `${whole(compared.ours)} reads/s, bare ${whole(compared.theirs)}/s`,
  };
}
