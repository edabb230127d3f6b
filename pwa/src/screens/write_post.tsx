// Writing a post, or a statement to vote on. The draft survives whatever happens; what is published offline waits in the outbox.
import { useEffect, useState } from 'preact/hooks';
import type { Board } from '../api/generated';
import { t } from '../i18n/i18n';
import { readDraft, writeDraft } from '../offline/drafts';
import { put } from '../offline/outbox';
import { navigate } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { goSignIn } from '../ui/gate';
import { Field, Room } from '../ui/field';
import { BackLink, Heading } from '../ui/parts';
import { BoardFrame } from './board';

export const MOST_BODY = 40_000;

export function mostTitle(statement: boolean): number {
  return statement ? 400 : 300;
}

function WriteForm({ board }: { board: Board }) {
  const draftPlace = `board/${board.slug}`;
  const statement = board.kind === 'statements';
  const [draft, setDraft] = useState(() => readDraft(draftPlace));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const title = draft.title ?? '';
  const body = draft.body ?? '';
  const most = mostTitle(statement);

  // Written down at each letter: it is short, and a phone may close the page at any time.
  const write = (change: { title?: string; body?: string }) => {
    const next = { title, body, ...change };
    setDraft(next);
    writeDraft(draftPlace, next);
  };
  const publish = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (busy || title.trim() === '' || [...title].length > most || [...body].length > MOST_BODY) return;
    setBusy(true);
    await put({ kind: 'post', board: board.slug, title: title.trim(), body: statement ? '' : body.trim() });
    writeDraft(draftPlace, {});
    navigate(`/b/${board.slug}`, true);
  };
  const missing = tried && title.trim() === '' ? t('title_missing') : undefined;
  return (
    <form class="form" onSubmit={(event) => void publish(event)} noValidate>
      <Field
        label={t(statement ? 'statement_text' : 'post_title')}
        value={title}
        onValue={(text) => write({ title: text })}
        lines={statement ? 5 : 2}
        help={statement ? t('statement_help') : undefined}
        error={missing}
      />
      <Room text={title} most={most} />
      {!statement && <Field label={t('post_body')} value={body} onValue={(text) => write({ body: text })} lines={10} />}
      {!statement && <Room text={body} most={MOST_BODY} />}
      <div class="row between">
        <span class="help">{title || body ? t('draft_kept') : ''}</span>
        <button class="button primary" aria-disabled={busy}>
          {t('publish')}
        </button>
      </div>
    </form>
  );
}

export function WritePostScreen({ slug }: { slug: string }) {
  const member = useCell(account);
  useEffect(() => {
    if (!member) goSignIn(true);
  }, [member]);
  if (!member) return null;
  return (
    <BoardFrame slug={slug}>
      {(board) => {
        const heading = t(board.kind === 'statements' ? 'write_statement' : 'write_post');
        return (
          <main id="main" class="screen">
            <BackLink to={`/b/${slug}`}>{board.title}</BackLink>
            <Heading title={heading}>{heading}</Heading>
            {board.closed_at ? <p class="notice">{t('error_board_closed')}</p> : <WriteForm board={board} />}
          </main>
        );
      }}
    </BoardFrame>
  );
}
