// login_ratio: sign-ins per second over what bare Argon2id does on all cores.
import { PASSWORD } from '../harness/people.ts';
import { compare, load, output } from './measure.ts';
import type { Figure } from './report.ts';
import { cores, makePlace, openScene, PASSWORD_MEMORY, PASSWORD_PASSES } from './scene.ts';

export async function logins(quick: boolean): Promise<Figure> {
  const seconds = quick ? 1 : 3;
  const place = await makePlace();
  const scene = await openScene(place);
  let refused = 0;
  const signIn = async (): Promise<number> => {
    const loaded = await load({ url: scene.url, words: ['sign_in', scene.person.name, PASSWORD], connections: 16, seconds });
    refused += loaded.refused;
    return loaded.rate;
  };
  const bare = async (): Promise<number> => Number(await output('hash', cores, seconds, PASSWORD_MEMORY, PASSWORD_PASSES));
  const compared = await compare(3, signIn, bare);
  await scene.server.stop();
  place.remove();
  const beside = `${compared.ours.toFixed(1)} sign-ins/s, bare ${compared.theirs.toFixed(1)} hashes/s`;
  return { name: 'login_ratio', value: compared.ratio, beside: refused ? `${beside}, ${refused} refused` : beside };
}
