// One level of a thread: the comments below a parent as far as read, the way to the rest, and what the member wrote there and waits.
import { t } from '../i18n/i18n';
import { useCell } from '../store/cell';
import { comments, pendingComments } from '../store/entities';
import { DEPTH, type Thread } from '../store/thread';
import { hidden } from '../store/thread_tree';
import { Comment, ContinueLink } from './comment';
import { MoreButton } from './parts';
import { WaitingComment } from './waiting';

interface Props {
  thread: Thread;
  parent: string;
  /** How many comments are said to be there. */
  count: number;
  depth: number;
  closed: boolean;
}

export function Level({ thread, parent, count, depth, closed }: Props) {
  const { tree, loading } = useCell(thread.state);
  const waiting = useCell(pendingComments.cell(parent)) ?? [];
  const item = useCell(comments.cell(parent));
  const level = tree.get(parent);
  const ids = level?.ids ?? [];

  // Deeper than this the screen would be all margin: the rest has a screen of its own.
  if (depth > DEPTH) {
    return (
      <>
        {count > 0 && item && <ContinueLink item={item} />}
        {waiting.length > 0 && (
          <ul class="level">
            {waiting.map((entry) => (
              <WaitingComment key={entry.key} entry={entry} />
            ))}
          </ul>
        )}
      </>
    );
  }
  const more = depth === 0 ? level?.next !== undefined : hidden(tree, parent, count) > 0;
  const left = hidden(tree, parent, count);
  const label = depth > 0 ? t('more_replies', { n: left }) : t('more');
  if (ids.length === 0 && waiting.length === 0 && !more) return null;
  return (
    <>
      <ul class={depth === 0 ? 'level top' : 'level'}>
        {ids.map((id) => (
          <Comment key={id} id={id} thread={thread} depth={depth} closed={closed} />
        ))}
        {waiting.map((entry) => (
          <WaitingComment key={entry.key} entry={entry} />
        ))}
      </ul>
      {more && <MoreButton label={label} busy={loading.has(parent)} onClick={() => thread.more(parent)} />}
    </>
  );
}
