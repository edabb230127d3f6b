// The posts of a discussion board, newest or most agreed first.
import { useEffect } from 'preact/hooks';
import type { Board } from '../api/generated';
import { api } from '../api/api';
import { t } from '../i18n/i18n';
import { onChange, markFresh } from '../live/events';
import { follow } from '../live/live';
import { Link, place } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { fresh, posts } from '../store/entities';
import { postList, type Sort } from '../store/lists';
import { useMainAction } from '../ui/dock';
import { AnswerIcon, WriteIcon } from '../ui/icons';
import { Failure, Loading, MoreButton, When } from '../ui/parts';
import { announce } from '../ui/toast';
import { VoteButtons } from '../ui/vote_buttons';
import { WaitingPosts } from '../ui/waiting';

/** Follows a board while its list is shown: new posts are marked and read out, and a gap in the channel is closed. */
export function useLiveBoard(board: Board, reload: () => void): void {
  useEffect(() => {
    const stopListening = onChange((change) => {
      if (change.kind !== 'post' || !change.created || change.known || change.post.board_id !== board.id) return;
      if (change.post.author?.id === account.value?.id) return;
      markFresh(change.post.id);
      announce(t('new_post_announced', { title: change.post.title }));
    });
    const check = () => {
      api.listPosts({ board: board.slug, limit: 1 }).then(
        ({ data }) => {
          if (data.items[0] && !posts.get(data.items[0].id)) reload();
        },
        () => undefined,
      );
    };
    const stopFollowing = follow({ topics: [`board/${board.id}`], check, reset: reload });
    return () => {
      stopListening();
      stopFollowing();
    };
  }, [board.id]);
}

function PostCard({ id, closed }: { id: string; closed: boolean }) {
  const post = useCell(posts.cell(id));
  const mark = useCell(fresh.cell(id)) === true;
  if (!post) return null;
  const to = `/p/${id}`;
  return (
    <li class={mark ? 'card post-card new' : 'card post-card'}>
      <p class="byline">
        <b dir="auto">{post.author?.name ?? t('someone')}</b>
        <span class="dot"> · </span>
        <When iso={post.created_at} />
        {mark && <span class="new-mark">{t('new_mark')}</span>}
      </p>
      <h2 dir="auto">
        {post.deleted_at ? (
          <Link to={to} class="deleted">
            {t('deleted_post')}
          </Link>
        ) : (
          <Link to={to}>{post.title}</Link>
        )}
      </h2>
      {post.body && (
        <p class="excerpt" dir="auto">
          {post.body.slice(0, 240)}
        </p>
      )}
      <div class="actions">
        {!post.deleted_at && <VoteButtons item={id} tally={post.tally} title={post.title} small disabled={closed} />}
        <Link to={to} class="button small quiet">
          <AnswerIcon size={16} />
          {t('answers_count', { n: post.comment_count })}
        </Link>
      </div>
    </li>
  );
}

export function PostsList({ board, sort }: { board: Board; sort: Sort }) {
  const list = postList(board.slug, sort);
  const state = useCell(list.state);
  const member = useCell(account)?.id;
  const closed = board.closed_at !== undefined;

  useEffect(() => {
    if (place.value.by !== 'back' || !list.state.value.loaded || list.olderThan(60_000)) void list.load();
  }, [list, member]);
  useLiveBoard(board, () => void list.load());
  useMainAction(closed ? undefined : { label: t('write_post'), icon: <WriteIcon />, to: `/b/${board.slug}/write` }, [
    board.slug,
    closed,
  ]);

  return (
    <section aria-label={t(sort === 'new' ? 'sort_new' : 'sort_agreed')}>
      <WaitingPosts board={board.slug} />
      {state.error !== undefined && !state.loaded && <Failure error={state.error} retry={() => void list.load()} />}
      {!state.loaded && state.error === undefined && <Loading />}
      {state.loaded && state.ids.length === 0 && <p class="empty">{t('no_posts')}</p>}
      <ul class="cards posts">
        {state.ids.map((id) => (
          <PostCard key={id} id={id} closed={closed} />
        ))}
      </ul>
      {state.next !== undefined && (
        <MoreButton label={t('more')} busy={state.loading} onClick={() => list.more()} />
      )}
    </section>
  );
}
