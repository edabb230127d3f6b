// Voting on statements, one after another, by thumb.
import { useEffect, useRef } from 'preact/hooks';
import type { Board, Post } from '../api/generated';
import { t } from '../i18n/i18n';
import { Link } from '../router';
import { account } from '../session/session';
import { ballotBox, type BallotBox } from '../store/ballot_box';
import { useCell } from '../store/cell';
import { posts } from '../store/entities';
import { VOTES, type Vote } from '../store/tally';
import { once } from '../ui/attempt';
import { goSignIn, signedIn } from '../ui/gate';
import { AnswerIcon, UndoIcon } from '../ui/icons';
import { Failure, Loading } from '../ui/parts';
import { announce } from '../ui/toast';
import { VOTE_ICONS } from '../ui/vote_buttons';
import { WaitingPosts } from '../ui/waiting';
import { useWriteStatement } from './agreed_list';
import { BoardTotals } from './boards';
import { useLiveBoard } from './posts_list';

/** A statement of more characters than this is set smaller, to be seen as a whole. */
const LONG = 180;

function Progress({ box }: { box: BallotBox }) {
  const { before, total, done } = useCell(box.state);
  if (before === undefined || total === undefined) return null;
  const voted = Math.min(total, before + done.length);
  return (
    <div class="progress">
      <div
        class="progress-track"
        role="progressbar"
        aria-label={t('progress_label', { n: voted, total })}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={voted}
      >
        <span class="progress-done" style={{ inlineSize: `${total === 0 ? 0 : (voted * 100) / total}%` }} />
      </div>
      <p aria-hidden="true">{t('progress', { n: voted, total })}</p>
    </div>
  );
}

function BigVotes({ onVote, disabled, title }: { onVote: (vote: Vote) => void; disabled: boolean; title: string }) {
  return (
    <div class="big-votes" role="group" aria-label={t('votes_of', { title })}>
      {VOTES.map((vote) => {
        const VoteIcon = VOTE_ICONS[vote];
        return (
          <button key={vote} class={`big-vote ${vote}`} disabled={disabled} onClick={once(() => onVote(vote))}>
            <VoteIcon size={26} />
            {t(vote)}
          </button>
        );
      })}
    </div>
  );
}

function Ballot({ post, box, closed }: { post: Post; box: BallotBox; closed: boolean }) {
  const { done } = useCell(box.state);
  const text = useRef<HTMLHeadingElement>(null);
  const turned = useRef(false);

  // The next statement takes the focus, so that a screen reader reads it and Tab leads to its buttons.
  useEffect(() => {
    if (turned.current) text.current?.focus({ preventScroll: true });
  }, [post.id]);
  const vote = (value: Vote) => {
    if (!signedIn()) return goSignIn();
    turned.current = true;
    announce(t('voted_announced', { vote: t(value) }));
    void box.vote(post.id, value);
  };
  const undo = () => {
    turned.current = true;
    void box.undo();
  };
  return (
    <>
      <article class="ballot" key={post.id}>
        <h2 class={post.title.length > LONG ? 'ballot-text long' : 'ballot-text'} ref={text} tabIndex={-1} dir="auto">
          {post.title}
        </h2>
        <p class="ballot-foot">
          {post.moderation === 'waiting' && <span class="help">{t('moderation_waiting')}</span>}
          <Link to={`/p/${post.id}`} class="button small quiet">
            <AnswerIcon size={16} />
            {post.comment_count > 0 ? t('answers_count', { n: post.comment_count }) : t('answer_or_read')}
          </Link>
        </p>
      </article>
      <div class="ballot-controls">
        <div class="row between">
          <Progress box={box} />
          {done.length > 0 && (
            <button class="button small quiet" onClick={once(undo)}>
              <UndoIcon size={16} />
              {t('undo')}
            </button>
          )}
        </div>
        <BigVotes onVote={vote} disabled={closed} title={post.title} />
        {!signedIn() && <p class="help">{t('sign_in_to_vote')}</p>}
      </div>
    </>
  );
}

function AllVoted({ box, board }: { box: BallotBox; board: Board }) {
  const { done } = useCell(box.state);
  return (
    <section class="all-voted">
      <h2>{t(board.post_count === 0 ? 'no_posts' : 'all_voted')}</h2>
      {board.post_count > 0 && <p>{t('all_voted_help')}</p>}
      <p class="row">
        {board.post_count > 0 && (
          <Link to={`/b/${board.slug}/agreement`} class="button primary">
            {t('agreement')}
          </Link>
        )}
        {done.length > 0 && (
          <button class="button" onClick={() => void box.undo()}>
            <UndoIcon size={16} />
            {t('undo')}
          </button>
        )}
      </p>
      <Progress box={box} />
    </section>
  );
}

export function Voting({ board }: { board: Board }) {
  const box = ballotBox(board.slug);
  const state = useCell(box.state);
  const member = useCell(account)?.id;
  const current = state.queue[0];
  const post = useCell(posts.cell(current ?? ''));

  useEffect(() => {
    if (!state.loaded) void box.load();
  }, [box, member]);
  useLiveBoard(board, () => void box.load());
  useWriteStatement(board);

  return (
    <section class="voting" aria-label={t('voting')}>
      <WaitingPosts board={board.slug} />
      {state.error !== undefined && !post && <Failure error={state.error} retry={() => void box.load()} />}
      {!state.loaded && state.error === undefined && <Loading />}
      {post && <Ballot post={post} box={box} closed={board.closed_at !== undefined} />}
      {state.loaded && !post && (
        <>
          <AllVoted box={box} board={board} />
          <BoardTotals board={board} />
        </>
      )}
    </section>
  );
}
