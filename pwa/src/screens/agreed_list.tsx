// What people agree on: the statements of a board, surest agreement first, each with its bar and counts and the way to its thread.
import { useEffect } from 'preact/hooks';
import type { Board } from '../api/generated';
import { t } from '../i18n/i18n';
import { Link, place } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { posts } from '../store/entities';
import { postList } from '../store/lists';
import { Agreement } from '../ui/agreement_bar';
import { useMainAction } from '../ui/dock';
import { WriteIcon } from '../ui/icons';
import { Failure, Loading, MoreButton } from '../ui/parts';
import { useTally } from '../ui/vote_buttons';
import { WaitingPosts } from '../ui/waiting';
import { useLiveBoard } from './posts_list';

function Statement({ id }: { id: string }) {
  const post = useCell(posts.cell(id));
  if (!post) return null;
  return <StatementRow post={post} />;
}

function StatementRow({ post }: { post: NonNullable<ReturnType<typeof posts.get>> }) {
  const tally = useTally(post.id, post.tally);
  return (
    <li class={post.moderation === 'rejected' ? 'statement set-aside' : 'statement'}>
      <p class="statement-text" dir="auto">
        <Link to={`/p/${post.id}`}>{post.deleted_at ? t('deleted_post') : post.title}</Link>
      </p>
      <Agreement tally={tally} />
      <p class="statement-foot">
        {tally.own && (
          <span class={`own-vote ${tally.own}`}>
            {t('your_vote')}: {t(tally.own)}
          </span>
        )}
        {post.comment_count > 0 && <span>{t('answers_count', { n: post.comment_count })}</span>}
        {post.moderation === 'rejected' && <span class="tag">{t('moderation_rejected')}</span>}
      </p>
    </li>
  );
}

export function useWriteStatement(board: Board): void {
  const closed = board.closed_at !== undefined;
  useMainAction(
    closed ? undefined : { label: t('write_statement'), icon: <WriteIcon />, to: `/b/${board.slug}/write` },
    [board.slug, closed],
  );
}

export function AgreedList({ board }: { board: Board }) {
  const list = postList(board.slug, 'agreed');
  const state = useCell(list.state);
  const member = useCell(account)?.id;

  useEffect(() => {
    if (place.value.by !== 'back' || !list.state.value.loaded) void list.load();
  }, [list, member]);
  useLiveBoard(board, () => void list.load());
  useWriteStatement(board);

  return (
    <section aria-label={t('agreement')}>
      <WaitingPosts board={board.slug} />
      {state.error !== undefined && !state.loaded && <Failure error={state.error} retry={() => void list.load()} />}
      {!state.loaded && state.error === undefined && <Loading />}
      {state.loaded && state.ids.length === 0 && <p class="empty">{t('no_posts')}</p>}
      <ol class="statements">
        {state.ids.map((id) => (
          <Statement key={id} id={id} />
        ))}
      </ol>
      {state.next !== undefined && (
        <MoreButton label={t('more')} busy={state.loading} onClick={() => list.more()} />
      )}
    </section>
  );
}
