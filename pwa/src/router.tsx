// Places and ways between them: addresses by the History API, scroll position kept for the way back, focus moved to the new heading.
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { sameThing } from './routes';
import { Cell, useCell } from './store/cell';

export interface Place {
  path: string;
  query: URLSearchParams;
  /** Names this entry of the history. */
  key: string;
  /** How we came here: by a start of the page, a link, or the way back. */
  by: 'start' | 'link' | 'back';
}

const heights = new Map<string, number>();
let counter = 0;

/** What an entry of the history carries: its name, and the path of the entry before it. */
interface EntryState {
  key: string;
  from?: string;
}

function stateOfEntry(): EntryState {
  return (history.state as EntryState | null) ?? { key: 'start' };
}

function read(by: Place['by']): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search), key: stateOfEntry().key, by };
}

export const place = new Cell<Place>(read('start'));

export function startRouter(): void {
  history.scrollRestoration = 'manual';
  window.addEventListener('popstate', () => {
    rememberHeight();
    place.set(read('back'));
  });
}

function rememberHeight(): void {
  heights.set(place.value.key, window.scrollY);
}

/** Goes to an address; where one is already, it is not entered into the history twice. */
export function navigate(to: string, replace = false): void {
  rememberHeight();
  const instead = replace || to === here();
  const key = `${Date.now()}-${counter++}`;
  const state: EntryState = { key, from: instead ? stateOfEntry().from : location.pathname };
  if (instead) history.replaceState(state, '', to);
  else history.pushState(state, '', to);
  place.set(read('link'));
}

/** To the screen above: the way back if one came from there, so that it is found as it was left. */
function goUp(to: string): void {
  const { from } = stateOfEntry();
  if (from !== undefined && sameThing(from, to)) history.back();
  else navigate(to);
}

/** Where we are, as one may come back to it. */
export function here(): string {
  return location.pathname + location.search;
}

/** Only addresses of our own are gone to: an address in a query string may come from anywhere. */
export function ownAddress(wish: string | null): string {
  return wish !== null && /^\/(?![/\\])/.test(wish) ? wish : '/';
}

export function usePlace(): Place {
  return useCell(place);
}

type LinkProps = { to: string; children: ComponentChildren; replace?: boolean; up?: boolean } & Omit<
  JSX.HTMLAttributes<HTMLAnchorElement>,
  'href'
>;

export function Link({ to, children, replace, up, ...rest }: LinkProps) {
  const go = (event: MouseEvent) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    if (up) goUp(to);
    else navigate(to, replace);
  };
  return (
    <a href={to} onClick={go} {...rest}>
      {children}
    </a>
  );
}

/** Puts the window where it was on the way back, as soon as the content is tall enough; at the top on the way forth. */
export function useScroll(current: Place): void {
  useLayoutEffect(() => {
    const height = current.by === 'back' ? (heights.get(current.key) ?? 0) : 0;
    if (current.by === 'start') return;
    window.scrollTo(0, height);
    if (height === 0 || typeof ResizeObserver === 'undefined') return;
    const observer = new ResizeObserver(() => {
      if (document.documentElement.scrollHeight >= height + window.innerHeight) window.scrollTo(0, height);
    });
    const stop = () => observer.disconnect();
    observer.observe(document.body);
    window.addEventListener('wheel', stop, { once: true, passive: true });
    window.addEventListener('touchstart', stop, { once: true, passive: true });
    const timer = setTimeout(stop, 2_000);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [current.key]);
}
