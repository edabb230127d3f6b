// What the member wrote and the server has not confirmed yet, in its place among the rest.
import { useEffect, useRef } from 'preact/hooks';
import { ApiProblem } from '../api/generated';
import { problemText } from '../api/problem_text';
import { t } from '../i18n/i18n';
import { reachable } from '../offline/network';
import { discard, outbox, putOff, retry, type OutgoingComment, type OutgoingPost } from '../offline/outbox';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { ClockIcon } from './icons';
import { Text } from './text';

const JUST_NOW = 1_500;

function DiscardButton({ entry }: { entry: OutgoingComment | OutgoingPost }) {
  return (
    <button class="button small quiet" onClick={() => void discard(entry)}>
      {t('discard')}
    </button>
  );
}

function State({ entry }: { entry: OutgoingComment | OutgoingPost }) {
  const online = useCell(reachable);
  const later = useCell(putOff);
  const waits = !online || later;
  if (!entry.refused)
    return (
      <div class="waiting-state">
        <ClockIcon size={16} />
        <p role="status">{waits ? t('waiting') : t('sending')}</p>
        {waits && <DiscardButton entry={entry} />}
      </div>
    );
  const reason = problemText(new ApiProblem(entry.refused, entry.refused.status));
  return (
    <div class="waiting-state refused" role="alert">
      <p>{t('not_sent', { reason })}</p>
      <div class="row">
        <button class="button small" onClick={() => void retry(entry)}>
          {t('try_again')}
        </button>
        <DiscardButton entry={entry} />
      </div>
    </div>
  );
}

export function WaitingComment({ entry }: { entry: OutgoingComment }) {
  const line = useRef<HTMLLIElement>(null);
  // Just written: its author sees where it went.
  useEffect(() => {
    if (Date.now() - entry.at < JUST_NOW) line.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <li class="comment waiting" ref={line}>
      <p class="byline">
        <b>{account.value?.name}</b>
      </p>
      <Text text={entry.body} />
      <State entry={entry} />
    </li>
  );
}

export function WaitingPosts({ board }: { board: string }) {
  const entries = useCell(outbox).filter(
    (entry): entry is OutgoingPost => entry.kind === 'post' && entry.board === board,
  );
  if (entries.length === 0) return null;
  return (
    <ul class="posts">
      {entries.map((entry) => (
        <li key={entry.key} class="card waiting">
          <p class="card-title" dir="auto">
            {entry.title}
          </p>
          {entry.body && <Text text={entry.body} />}
          <State entry={entry} />
        </li>
      ))}
    </ul>
  );
}

/** Above everything: that the network is gone, and how much waits for it. */
export function StatusBar() {
  const online = useCell(reachable);
  const waiting = useCell(outbox).filter((entry) => !entry.refused).length;
  return (
    <div class="status" role="status">
      {!online && (
        <p>
          {t('offline')}
          {waiting > 0 && (
            <>
              {' '}
              <b>{t('waiting_count', { n: waiting })}</b>
            </>
          )}
        </p>
      )}
    </div>
  );
}
