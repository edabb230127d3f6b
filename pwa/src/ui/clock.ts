// The time of the page: moves on every half minute while somebody looks, so that "3 minutes ago" stays true.
import { Cell } from '../store/cell';

export const clock = new Cell<number>(Date.now());
const STEP = 30_000;

export function startClock(): void {
  const move = () => {
    if (document.visibilityState === 'visible') clock.set(Date.now());
  };
  setInterval(move, STEP);
  document.addEventListener('visibilitychange', move);
}
