// The idempotency key of a form: the same content keeps its key, so that sending again after a lost answer does not do it twice.
import { useRef } from 'preact/hooks';
import { newKey } from '../session/random';

export function useAttemptKey(): (content: string) => string {
  const last = useRef({ content: '', key: '' });
  return (content) => {
    if (last.current.content !== content) last.current = { content, key: newKey() };
    return last.current.key;
  };
}
