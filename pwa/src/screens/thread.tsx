// A thread: the post with its votes and the answers below it, or one answer and what is below that. New answers appear by themselves.
import { useEffect, useState } from 'preact/hooks';
import type { Comment, Post } from '../api/generated';
import { t } from '../i18n/i18n';
import { onChange, type Change } from '../live/events';
import { follow } from '../live/live';
import { put } from '../offline/outbox';
import { Link, navigate, place } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { boards, comments, posts } from '../store/entities';
import { threadOf, type Thread } from '../store/thread';
import { authorName, Byline, CommentActions, CommentBody, MOST_COMMENT } from '../ui/comment';
import { Composer } from '../ui/composer';
import { useMainAction } from '../ui/dock';
import { deletePost } from '../ui/edit';
import { goSignIn, signedIn } from '../ui/gate';
import { AnswerIcon, DownIcon } from '../ui/icons';
import { Level } from '../ui/level';
import { BackLink, Failure, Heading, Loading, When } from '../ui/parts';
import { Text } from '../ui/text';
import { announce } from '../ui/toast';
import { VoteButtons } from '../ui/vote_buttons';
import { useBoard } from './board';
import { EditPost } from './edit_post';
import { Unready } from './unready';

/** New answers below the part of the page that one sees: a way there, never a jump. */
function useArrivals(thread: Thread): { below: string[]; seen: () => void } {
  const [below, setBelow] = useState<string[]>([]);
  useEffect(() => {
    const hear = (change: Change) => {
      if (change.kind !== 'comment' || !change.created || change.known || change.comment.post_id !== thread.post)
        return;
      const shown = thread.arrived(change.comment);
      if (change.comment.author?.id === account.value?.id) return;
      announce(t('new_answer_announced', { name: authorName(change.comment) }));
      if (!shown) return;
      requestAnimationFrame(() => {
        const top = document.getElementById(`c-${change.comment.id}`)?.getBoundingClientRect().top ?? 0;
        if (top > window.innerHeight - 90) setBelow((ids) => [...ids, change.comment.id]);
      });
    };
    const stopListening = onChange(hear);
    const stopFollowing = follow({
      topics: [`post/${thread.post}`],
      check: () => void thread.check(),
      reset: () => void thread.reload(),
    });
    return () => {
      stopListening();
      stopFollowing();
      setBelow([]);
    };
  }, [thread]);
  useEffect(() => whenSeen(below, (id) => setBelow((ids) => ids.filter((other) => other !== id))), [below]);
  return { below, seen: () => setBelow([]) };
}

/** Tells once a comment has come into view. */
function whenSeen(ids: string[], seen: (id: string) => void): () => void {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) seen(entry.target.id.slice('c-'.length));
    },
    { rootMargin: '0px 0px -90px 0px' },
  );
  for (const id of ids) {
    const element = document.getElementById(`c-${id}`);
    if (element) observer.observe(element);
  }
  return () => observer.disconnect();
}

function NewBelow({ ids, seen }: { ids: string[]; seen: () => void }) {
  if (ids.length === 0) return null;
  const go = () => {
    document.getElementById(`c-${ids[0]}`)?.scrollIntoView({ block: 'center', behavior: 'smooth' });
    seen();
  };
  return (
    <button class="new-below" onClick={go}>
      <DownIcon size={18} />
      {t('new_below', { n: ids.length })}
    </button>
  );
}

function PostArticle({ post, closed }: { post: Post; closed: boolean }) {
  const [editing, setEditing] = useState(false);
  const own = post.author !== undefined && post.author.id === account.value?.id;
  const statement = boards.get(post.board_slug)?.kind === 'statements';
  const title = post.deleted_at ? t('deleted_post') : post.title;
  if (editing) return <EditPost post={post} statement={statement} onClose={() => setEditing(false)} />;
  return (
    <article class="post">
      <Heading title={title}>{title}</Heading>
      <p class="byline">
        <b class="author" dir="auto">
          {authorName(post)}
        </b>
        <span class="dot"> · </span>
        <When iso={post.created_at} />
        {post.edited_at && !post.deleted_at && <span> · {t('edited')}</span>}
        {post.moderation === 'rejected' && <span class="tag">{t('moderation_rejected')}</span>}
      </p>
      {!post.deleted_at && post.body && <Text text={post.body} />}
      {!post.deleted_at && <VoteButtons item={post.id} tally={post.tally} title={post.title} disabled={closed} />}
      {own && !closed && !post.deleted_at && (
        <div class="actions">
          <button class="button small quiet" onClick={() => setEditing(true)}>
            {t('edit')}
          </button>
          <button class="button small quiet" onClick={() => void deletePost(post.id)}>
            {t('delete')}
          </button>
        </div>
      )}
    </article>
  );
}

function CommentArticle({ item, closed }: { item: Comment; closed: boolean }) {
  const heading = t('replies_to', { name: authorName(item) });
  const up = item.parent_id === item.post_id ? undefined : `/p/${item.post_id}/c/${item.parent_id}`;
  return (
    <article class="post">
      <Heading title={heading} unseen>
        {heading}
      </Heading>
      {up && (
        <p>
          <Link to={up} up class="continue">
            ↑ {t('one_level_up')}
          </Link>
        </p>
      )}
      <p class="byline">
        <Byline item={item} mark={false} />
      </p>
      <CommentBody item={item} />
      <CommentActions item={item} closed={closed} />
    </article>
  );
}

function Answers({ thread, count, closed }: { thread: Thread; count: number; closed: boolean }) {
  const [writing, setWriting] = useState(false);
  const state = useCell(thread.state);
  const whole = thread.root === thread.post;
  const member = useCell(account)?.id;
  const start = () => (signedIn() ? setWriting(true) : goSignIn());
  useMainAction(closed || writing || !whole ? undefined : { label: t('answer'), icon: <AnswerIcon />, run: start }, [
    closed,
    writing,
    whole,
    member,
  ]);

  const level = state.tree.get(thread.root);
  return (
    <section class="answers" aria-labelledby="answers-title">
      <h2 id="answers-title" tabIndex={-1}>
        {count > 0 ? t(whole ? 'answers_count' : 'replies_hidden', { n: count }) : t('answers')}
      </h2>
      {writing && (
        <Composer
          label={t('your_answer')}
          place={`post/${thread.post}`}
          most={MOST_COMMENT}
          submit={t('send')}
          onClose={() => setWriting(false)}
          onSubmit={(body) => put({ kind: 'comment', post: thread.post, body })}
        />
      )}
      {state.error !== undefined && <Failure error={state.error} retry={() => void thread.load()} />}
      {!state.loaded && state.error === undefined && <Loading />}
      <Level thread={thread} parent={thread.root} count={count} depth={0} closed={closed} />
      {state.loaded && level?.ids.length === 0 && !writing && <p class="empty">{t('no_answers')}</p>}
    </section>
  );
}

export function ThreadScreen({ post: id, comment }: { post: string; comment?: string }) {
  const thread = threadOf(id, comment ?? id);
  const post = useCell(posts.cell(id));
  const item = useCell(comments.cell(comment ?? ''));
  const state = useCell(thread.state);
  const member = useCell(account)?.id;
  const arrivals = useArrivals(thread);

  useEffect(() => {
    if (place.value.by !== 'back' || !thread.state.value.loaded)
      void (thread.state.value.loaded ? thread.reload() : thread.load());
  }, [thread, member]);
  const missing = !post || (comment !== undefined && !item && state.error !== undefined);
  if (missing) return <Unready error={state.error} retry={() => void thread.load()} />;
  return (
    <LoadedThread
      key={thread.root}
      post={post}
      item={comment === undefined ? undefined : item}
      thread={thread}
      arrivals={arrivals}
    />
  );
}

function LoadedThread({
  post,
  item,
  thread,
  arrivals,
}: {
  post: Post;
  item?: Comment;
  thread: Thread;
  arrivals: ReturnType<typeof useArrivals>;
}) {
  const { board } = useBoard(post.board_slug);
  const closed = board?.closed_at !== undefined;
  const whole = thread.root === thread.post;
  useMainAction(
    whole ? undefined : { label: t('whole_thread'), icon: <AnswerIcon />, run: () => navigate(`/p/${post.id}`) },
    [whole, post.id],
  );
  return (
    <main id="main" class="screen">
      {whole ? (
        <BackLink to={`/b/${post.board_slug}`}>{board?.title ?? t('back')}</BackLink>
      ) : (
        <BackLink to={`/p/${post.id}`}>{post.title || t('whole_thread')}</BackLink>
      )}
      {closed && <p class="notice">{t('error_board_closed')}</p>}
      {whole && <PostArticle post={post} closed={closed} />}
      {!whole && (item ? <CommentArticle item={item} closed={closed} /> : <Loading />)}
      <Answers thread={thread} count={whole ? post.comment_count : (item?.reply_count ?? 0)} closed={closed} />
      <NewBelow ids={arrivals.below} seen={arrivals.seen} />
    </main>
  );
}
