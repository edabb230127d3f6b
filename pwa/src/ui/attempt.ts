// Doing once what was asked for once.
import { useRef } from 'preact/hooks';
import { newKey } from '../session/random';

/** The idempotency key of a form: the same content keeps its key, so that sending again after a lost answer does not do it twice. */
export function useAttemptKey(): (content: string) => string {
  const last = useRef({ content: '', key: '' });
  return (content) => {
    if (last.current.content !== content) last.current = { content, key: newKey() };
    return last.current.key;
  };
}

/** Takes a double tap for one: its second touch would meet what has come under the thumb meanwhile. */
export function once(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.detail < 2) act();
  };
}
