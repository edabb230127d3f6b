// Small parts that many screens use: heading, way back, times, waiting, failure.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { problemCode } from '../api/api';
import { problemText } from '../api/problem_text';
import { ago, moment, t } from '../i18n/i18n';
import { here, Link, place } from '../router';
import { useCell } from '../store/cell';
import { community, PROGRAM } from '../store/community';
import { clock } from './clock';
import { BackIcon } from './icons';
import { toast } from './toast';

/** The heading of a screen: takes the focus after a way here, so that a screen reader begins with it, and names the window. */
export function Heading({ children, title, unseen }: { children: ComponentChildren; title: string; unseen?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const name = useCell(community)?.name ?? PROGRAM;
  useEffect(() => {
    document.title = title === name ? name : `${title} · ${name}`;
  }, [title, name]);
  useEffect(() => {
    if (place.value.by !== 'start') heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} class={unseen ? 'unseen' : undefined} dir="auto">
      {children}
    </h1>
  );
}

export function BackLink({ to, children }: { to: string; children: ComponentChildren }) {
  return (
    <Link to={to} up class="back">
      <BackIcon size={18} />
      <span dir="auto">{children}</span>
    </Link>
  );
}

export function When({ iso }: { iso: string }) {
  useCell(clock);
  return (
    <time dateTime={iso} title={moment(iso)}>
      {ago(iso)}
    </time>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      <span class="unseen">{t('loading')}</span>
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
    </p>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const code = problemCode(error);
  const text = code === 'unreachable' ? t('offline_nothing') : problemText(error);
  return (
    <div class="notice failure" role="alert">
      <p>{text}</p>
      {code === 'unauthenticated' ? (
        <Link class="button" to={`/sign-in?to=${encodeURIComponent(here())}`}>
          {t('sign_in')}
        </Link>
      ) : (
        retry && (
          <button class="button" onClick={retry}>
            {t('try_again')}
          </button>
        )
      )}
    </div>
  );
}

interface MoreProps {
  label: string;
  busy: boolean;
  onClick: () => Promise<void>;
}

/** The way to what comes next in a list; says why when it does not come. */
export function MoreButton({ label, busy, onClick }: MoreProps) {
  return (
    <button
      class="button more"
      aria-disabled={busy}
      onClick={() => {
        if (!busy) onClick().catch((error: unknown) => toast(problemText(error)));
      }}
    >
      {busy ? t('loading') : label}
    </button>
  );
}
