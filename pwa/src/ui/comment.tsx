// One comment of a thread with what can be done to it, and everything below it.
import { useMemo, useState } from 'preact/hooks';
import type { Comment as CommentData } from '../api/generated';
import { t } from '../i18n/i18n';
import { put } from '../offline/outbox';
import { Link } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { comments, fresh } from '../store/entities';
import type { Thread } from '../store/thread';
import { Composer } from './composer';
import { deleteComment, saveComment } from './edit';
import { goSignIn, signedIn } from './gate';
import { AnswerIcon } from './icons';
import { Level } from './level';
import { When } from './parts';
import { Text } from './text';
import { VoteButtons } from './vote_buttons';

export const MOST_COMMENT = 10_000;

export function authorName(item: { author?: { id: string; name: string } }): string {
  return item.author?.name ?? t('someone');
}

export function Byline({ item, mark }: { item: CommentData; mark: boolean }) {
  const own = item.author !== undefined && item.author.id === account.value?.id;
  return (
    <>
      <b class={own ? 'author own' : 'author'}>{authorName(item)}</b>
      {own && <span class="you"> ({t('you')})</span>}
      <span class="dot"> · </span>
      <When iso={item.created_at} />
      {item.edited_at && !item.deleted_at && <span> · {t('edited')}</span>}
      {mark && <span class="new-mark">{t('new_mark')}</span>}
    </>
  );
}

/** Votes, reply, edit, delete; and the composer that two of them open. */
export function CommentActions({ item, closed }: { item: CommentData; closed: boolean }) {
  const [open, setOpen] = useState<'reply' | 'edit' | undefined>();
  const own = item.author !== undefined && item.author.id === account.value?.id;
  const name = authorName(item);
  const excerpt = item.body.slice(0, 60);
  if (item.deleted_at) return null;
  if (open === 'edit')
    return (
      <Composer
        label={t('edit_answer')}
        start={item.body}
        most={MOST_COMMENT}
        submit={t('save')}
        onSubmit={(body) => saveComment(item.id, body)}
        onClose={() => setOpen(undefined)}
      />
    );
  return (
    <>
      <div class="actions">
        <VoteButtons item={item.id} tally={item.tally} title={excerpt} small disabled={closed} />
        {!closed && (
          <button
            class="button small quiet"
            aria-label={t('reply_to', { name })}
            aria-expanded={open === 'reply'}
            onClick={() => (signedIn() ? setOpen(open ? undefined : 'reply') : goSignIn())}
          >
            <AnswerIcon size={16} />
            {t('reply')}
          </button>
        )}
        {own && !closed && (
          <span class="own-actions">
            <button class="button small quiet" onClick={() => setOpen('edit')}>
              {t('edit')}
            </button>
            <button class="button small quiet" onClick={() => void deleteComment(item.id)}>
              {t('delete')}
            </button>
          </span>
        )}
      </div>
      {open === 'reply' && (
        <Composer
          label={t('your_reply', { name })}
          place={`comment/${item.id}`}
          most={MOST_COMMENT}
          submit={t('send')}
          onClose={() => setOpen(undefined)}
          onSubmit={(body) => put({ kind: 'comment', post: item.post_id, parent: item.id, body })}
        />
      )}
    </>
  );
}

export function CommentBody({ item }: { item: CommentData }) {
  if (item.deleted_at) return <p class="deleted">{t('deleted_comment')}</p>;
  return <Text text={item.body} />;
}

interface Props {
  id: string;
  thread: Thread;
  /** How far below the screen's own level. */
  depth: number;
  closed: boolean;
}

/** Drawn again only for its own sake: what moves elsewhere in a long thread does not draw it. */
export function Comment({ id, thread, depth, closed }: Props) {
  return useMemo(
    () => <CommentItem id={id} thread={thread} depth={depth} closed={closed} />,
    [id, thread, depth, closed],
  );
}

function CommentItem({ id, thread, depth, closed }: Props) {
  const item = useCell(comments.cell(id));
  const mark = useCell(fresh.cell(id)) === true;
  const [collapsed, setCollapsed] = useState(false);
  if (!item) return null;
  const name = authorName(item);
  return (
    <li class={mark ? 'comment new' : 'comment'} id={`c-${id}`}>
      <p class="byline">
        <button
          class="collapse"
          aria-expanded={!collapsed}
          aria-label={collapsed ? t('expand_of', { name }) : t('collapse_of', { name })}
          onClick={() => setCollapsed(!collapsed)}
        >
          <span aria-hidden="true">{collapsed ? '+' : '–'}</span>
        </button>
        <Byline item={item} mark={mark} />
        {collapsed && item.reply_count > 0 && <span> · {t('replies_hidden', { n: item.reply_count })}</span>}
      </p>
      {!collapsed && (
        <div class="comment-inside">
          <CommentBody item={item} />
          <CommentActions item={item} closed={closed} />
          <Level thread={thread} parent={id} count={item.reply_count} depth={depth + 1} closed={closed} />
        </div>
      )}
    </li>
  );
}

export function ContinueLink({ item }: { item: CommentData }) {
  return (
    <Link
      class="continue"
      to={`/p/${item.post_id}/c/${item.id}`}
      aria-label={`${t('continue_thread', { n: item.reply_count })}: ${t('replies_to', { name: authorName(item) })}`}
    >
      {t('continue_thread', { n: item.reply_count })} →
    </Link>
  );
}
