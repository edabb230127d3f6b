// A board: its head, and by its kind the posts or the voting.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/api';
import type { Board } from '../api/generated';
import { t } from '../i18n/i18n';
import { Link, usePlace } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { boards } from '../store/entities';
import { isAdministrator } from '../ui/gate';
import { BackLink, Heading } from '../ui/parts';
import { Text } from '../ui/text';
import { AgreedList } from './agreed_list';
import { BoardTotals, BoardVotes } from './boards';
import { PostsList } from './posts_list';
import { Unready } from './unready';
import { Voting } from './voting';

/** A board by its short name: what is known at once, the newest soon after. */
export function useBoard(slug: string): { board: Board | undefined; error: unknown; load: () => void } {
  const board = useCell(boards.cell(slug));
  const member = useCell(account)?.id;
  const [error, setError] = useState<unknown>();
  const load = () => {
    setError(undefined);
    api.readBoard({ board: slug }).then(({ data }) => boards.set(slug, data), setError);
  };
  useEffect(load, [slug, member]);
  return { board, error, load };
}

/** Loading or failed, until the board is there. */
export function BoardFrame({ slug, children }: { slug: string; children: (board: Board) => ComponentChildren }) {
  const { board, error, load } = useBoard(slug);
  return board ? <>{children(board)}</> : <Unready error={error} retry={load} />;
}

const SHORT = 200;

/** What a board is about; folded where it would push away what one came for. */
function About({ text, folded }: { text: string; folded: boolean }) {
  if (!text) return null;
  if (!folded && text.length <= SHORT)
    return (
      <div class="description">
        <Text text={text} />
      </div>
    );
  return (
    <details class="description about">
      <summary>{t('board_description')}</summary>
      <Text text={text} />
    </details>
  );
}

function Tabs({ board, tab, sort }: { board: Board; tab: 'main' | 'agreement'; sort: 'new' | 'agreed' }) {
  const to = `/b/${board.slug}`;
  const tabs =
    board.kind === 'statements'
      ? [
          { to, label: t('voting'), here: tab === 'main' },
          { to: `${to}/agreement`, label: t('agreement'), here: tab === 'agreement' },
        ]
      : [
          { to, label: t('sort_new'), here: sort === 'new' },
          { to: `${to}?sort=agreed`, label: t('sort_agreed'), here: sort === 'agreed' },
        ];
  return (
    <nav class="tabs" aria-label={t('sort')}>
      {tabs.map((one) => (
        <Link key={one.to} to={one.to} replace aria-current={one.here ? 'page' : undefined}>
          {one.label}
        </Link>
      ))}
    </nav>
  );
}

export function BoardScreen({ slug, tab }: { slug: string; tab: 'main' | 'agreement' }) {
  const { query } = usePlace();
  const sort = query.get('sort') === 'agreed' ? 'agreed' : 'new';
  const member = useCell(account);
  return (
    <BoardFrame slug={slug}>
      {(board) => {
        const voting = board.kind === 'statements' && tab === 'main';
        return (
          <main id="main" class={voting ? 'screen voting-screen' : 'screen'}>
            <BackLink to="/">{t('boards')}</BackLink>
            <Heading title={board.title}>{board.title}</Heading>
            {board.closed_at && <p class="notice">{t('error_board_closed')}</p>}
            <About text={board.description} folded={voting} />
            {!voting && <BoardTotals board={board} />}
            {!voting && board.kind === 'statements' && <BoardVotes board={board} />}
            {!voting && member && isAdministrator() && (
              <p class="manage">
                <Link to={`/b/${slug}/manage`} class="button small">
                  {t('manage_board')}
                </Link>
              </p>
            )}
            <Tabs board={board} tab={tab} sort={sort} />
            {voting && <Voting board={board} />}
            {board.kind === 'statements' && tab === 'agreement' && <AgreedList board={board} />}
            {board.kind === 'discussion' && <PostsList key={sort} board={board} sort={sort} />}
          </main>
        );
      }}
    </BoardFrame>
  );
}
