// Which address is which screen. Pure.

export type Route =
  | { screen: 'boards' | 'sign_in' | 'sign_up' | 'account' | 'new_board' | 'not_found' }
  | { screen: 'board'; slug: string; tab: 'main' | 'agreement' }
  | { screen: 'write' | 'manage'; slug: string }
  | { screen: 'thread'; post: string; comment?: string };

const PLAIN: Record<string, 'boards' | 'sign_in' | 'sign_up' | 'account' | 'new_board'> = {
  '': 'boards',
  'sign-in': 'sign_in',
  'sign-up': 'sign_up',
  account: 'account',
  'new-board': 'new_board',
};

const SLUG = /^[a-z0-9-]{1,60}$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function boardRoute(slug: string, rest: string[]): Route {
  if (!SLUG.test(slug) || rest.length > 1) return { screen: 'not_found' };
  const [page] = rest;
  if (page === undefined) return { screen: 'board', slug, tab: 'main' };
  if (page === 'agreement') return { screen: 'board', slug, tab: 'agreement' };
  if (page === 'write' || page === 'manage') return { screen: page, slug };
  return { screen: 'not_found' };
}

function threadRoute(post: string, rest: string[]): Route {
  if (!ID.test(post)) return { screen: 'not_found' };
  if (rest.length === 0) return { screen: 'thread', post };
  const comment = rest[1];
  if (rest.length === 2 && rest[0] === 'c' && comment && ID.test(comment)) return { screen: 'thread', post, comment };
  return { screen: 'not_found' };
}

/** Whether two paths lead to the same thing, be it to another part of it. */
export function sameThing(one: string, other: string): boolean {
  const name = (path: string) => JSON.stringify({ ...route(path), tab: undefined });
  return name(one) === name(other);
}

export function route(path: string): Route {
  const [first = '', second, ...rest] = path.replace(/^\/|\/$/g, '').split('/');
  if (second === undefined) return { screen: Object.hasOwn(PLAIN, first) ? PLAIN[first]! : 'not_found' };
  if (first === 'b') return boardRoute(second, rest);
  if (first === 'p') return threadRoute(second, rest);
  return { screen: 'not_found' };
}
