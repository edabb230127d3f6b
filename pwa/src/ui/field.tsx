// A labelled input with its help and its error, tied together for screen readers.
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../i18n/i18n';
import { EyeIcon, EyeOffIcon } from './icons';

interface Props {
  label: string;
  value: string;
  onValue: (value: string) => void;
  help?: string;
  error?: string;
  lines?: number;
  input?: JSX.InputHTMLAttributes<HTMLInputElement> & JSX.TextareaHTMLAttributes<HTMLTextAreaElement>;
}

export function Field({ label, value, onValue, help, error, lines, input }: Props) {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const shared = { id, value, 'aria-describedby': described, 'aria-invalid': error ? true : undefined, ...input };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {lines ? (
        <textarea
          dir="auto"
          rows={lines}
          style={{ minBlockSize: `calc(${lines * 1.5}em + 24px)` }}
          {...(shared as JSX.TextareaHTMLAttributes<HTMLTextAreaElement>)}
          onInput={(e) => onValue(e.currentTarget.value)}
        />
      ) : (
        <input
          {...(shared as JSX.InputHTMLAttributes<HTMLInputElement>)}
          onInput={(e) => onValue(e.currentTarget.value)}
        />
      )}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface PasswordProps extends Pick<Props, 'label' | 'value' | 'onValue' | 'help' | 'error'> {
  autocomplete: 'current-password' | 'new-password';
}

export function PasswordField({ label, value, onValue, help, error, autocomplete }: PasswordProps) {
  const id = useId();
  const [seen, setSeen] = useState(false);
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="with-button">
        <input
          id={id}
          type={seen ? 'text' : 'password'}
          name="password"
          value={value}
          autocomplete={autocomplete}
          maxLength={200}
          dir="ltr"
          autocapitalize="none"
          autocorrect="off"
          spellcheck={false}
          aria-describedby={described}
          aria-invalid={error ? true : undefined}
          onInput={(e) => onValue(e.currentTarget.value)}
        />
        <button
          type="button"
          class="in-field"
          aria-pressed={seen}
          aria-label={seen ? t('hide_password') : t('show_password')}
          onClick={() => setSeen(!seen)}
        >
          {seen ? <EyeOffIcon /> : <EyeIcon />}
        </button>
      </div>
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** Tells how much room is left once it gets scarce. */
export function Room({ text, most }: { text: string; most: number }) {
  // The server counts characters, not the halves of surrogate pairs.
  const left = most - [...text].length;
  if (left > Math.max(50, most / 10)) return null;
  return (
    <p class={left < 0 ? 'error' : 'help'}>
      {left < 0 ? t('letters_over', { n: -left }) : t('letters_left', { n: left })}
    </p>
  );
}
