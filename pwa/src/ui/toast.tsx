// A short message that goes away by itself, read out politely; and messages that are only read out.
import { t } from '../i18n/i18n';
import { Cell, useCell } from '../store/cell';
import { DisagreeIcon } from './icons';

interface Toast {
  text: string;
  action?: { label: string; run: () => void };
}

const shown = new Cell<Toast | undefined>(undefined);
const spoken = new Cell<string>('');
let timer: ReturnType<typeof setTimeout> | undefined;
const STAYS = 5_000;

/** One with an action stays until it is used or the next one comes: nobody has to be quick. */
export function toast(text: string, action?: Toast['action']): void {
  clearTimeout(timer);
  shown.set({ text, action });
  if (!action) timer = setTimeout(() => shown.set(undefined), STAYS);
}

/** For the ears only. */
export function announce(text: string): void {
  // The same words twice are read twice only if something changes between.
  spoken.set(spoken.value === text ? `${text}\u00a0` : text);
}

export function Toasts() {
  const current = useCell(shown);
  return (
    <>
      <div class="toasts" role="status" aria-live="polite">
        {current && (
          <p class="toast">
            <span>{current.text}</span>
            {current.action && (
              <>
                <button
                  class="toast-action"
                  onClick={() => {
                    shown.set(undefined);
                    current.action?.run();
                  }}
                >
                  {current.action.label}
                </button>
                <button class="toast-action plain" aria-label={t('close')} onClick={() => shown.set(undefined)}>
                  <DisagreeIcon />
                </button>
              </>
            )}
          </p>
        )}
      </div>
      <div class="unseen" role="log" aria-live="polite">
        {useCell(spoken)}
      </div>
    </>
  );
}
