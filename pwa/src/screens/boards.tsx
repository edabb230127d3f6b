// The boards with their totals: the first screen.
import { useEffect } from 'preact/hooks';
import type { Board } from '../api/generated';
import { problemCode } from '../api/api';
import { number, t } from '../i18n/i18n';
import { Link, usePlace } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { community, PROGRAM } from '../store/community';
import { boards } from '../store/entities';
import { boardList } from '../store/lists';
import { AgreementBar, tallyText } from '../ui/agreement_bar';
import { isAdministrator } from '../ui/gate';
import { Mark, WriteIcon } from '../ui/icons';
import { OtherLanguages } from '../ui/languages';
import { Failure, Heading, Loading, MoreButton } from '../ui/parts';
import { useMainAction } from '../ui/dock';

export function BoardTotals({ board }: { board: Board }) {
  const statements = board.kind === 'statements';
  return (
    <p class="totals">
      <span>{t(statements ? 'statements_count' : 'posts_count', { n: board.post_count })}</span>
      {(!statements || board.comment_count > 0) && <span>{t('answers_count', { n: board.comment_count })}</span>}
      {board.voter_count > 0 && <span>{t('people_count', { n: board.voter_count })}</span>}
    </p>
  );
}

/** All votes of a board: the bar, and each number with its word. */
export function BoardVotes({ board }: { board: Board }) {
  if (board.agree_count + board.disagree_count + board.pass_count === 0) return null;
  return (
    <div class="board-votes">
      <AgreementBar tally={board} />
      <p class="legend">
        <span class="agree">
          <b>{number(board.agree_count)}</b> {t('agree')}
        </span>
        <span class="disagree">
          <b>{number(board.disagree_count)}</b> {t('disagree')}
        </span>
        <span class="pass">
          <b>{number(board.pass_count)}</b> {t('pass')}
        </span>
      </p>
    </div>
  );
}

function BoardCard({ slug }: { slug: string }) {
  const board = useCell(boards.cell(slug));
  if (!board) return null;
  return (
    <li class="card board-card">
      <p class="eyebrow">
        {t(board.kind === 'statements' ? 'kind_statements' : 'kind_discussion')}
        {board.closed_at && <span class="tag">{t('closed')}</span>}
      </p>
      <h2 dir="auto">
        <Link to={`/b/${slug}`}>{board.title}</Link>
      </h2>
      {board.description && (
        <p class="description" dir="auto">
          {board.description}
        </p>
      )}
      {board.kind === 'statements' && board.voter_count > 0 && (
        <>
          <AgreementBar tally={board} />
          <span class="unseen">{tallyText(board)}</span>
        </>
      )}
      <BoardTotals board={board} />
    </li>
  );
}

function Welcome({ closed }: { closed: boolean }) {
  return (
    <section class="welcome">
      <p>{t(closed ? 'members_only' : 'welcome')}</p>
      <p class="row">
        <Link to="/sign-up" class="button primary">
          {t('sign_up')}
        </Link>
        <Link to="/sign-in" class="button">
          {t('sign_in')}
        </Link>
        <OtherLanguages />
      </p>
    </section>
  );
}

export function BoardsScreen() {
  const about = useCell(community);
  const member = useCell(account);
  const list = boardList();
  const state = useCell(list.state);
  const { by } = usePlace();
  const administrator = member !== undefined && isAdministrator();
  const refused = problemCode(state.error) === 'unauthenticated' || (about?.public_reading === false && !member);

  useEffect(() => {
    if (!refused && (by !== 'back' || !state.loaded)) void list.load();
  }, [list, member?.id, refused]);
  useMainAction(administrator ? { label: t('new_board'), icon: <WriteIcon />, to: '/new-board' } : undefined, [
    administrator,
  ]);

  const name = about?.name ?? PROGRAM;
  return (
    <main id="main" class="screen">
      <div class="brand">
        <Mark size={44} />
        <Heading title={name}>{name}</Heading>
      </div>
      {!member && <Welcome closed={refused} />}
      {!refused && state.error !== undefined && !state.loaded && (
        <Failure error={state.error} retry={() => void list.load()} />
      )}
      {!refused && !state.loaded && state.error === undefined && <Loading />}
      {state.loaded && state.ids.length === 0 && (
        <p class="empty">{t(administrator ? 'no_boards_administrator' : 'no_boards')}</p>
      )}
      {!refused && (
        <ul class="cards">
          {state.ids.map((slug) => (
            <BoardCard key={slug} slug={slug} />
          ))}
        </ul>
      )}
      {state.next !== undefined && (
        <MoreButton label={t('more')} busy={state.loading} onClick={() => list.more()} />
      )}
    </main>
  );
}
