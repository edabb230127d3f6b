// Ties the parts together at the start: what the outbox sent and the live channel told goes to what is shown; what belongs to a member goes
// when they do.
import type { ApiProblem, Comment, Post, Tally } from '../api/generated';
import { problemText } from '../api/problem_text';
import { t } from '../i18n/i18n';
import { countPost, countReply, onChange } from '../live/events';
import { forgetAnswers } from '../offline/answers';
import { draftsBelongTo, forgetDrafts } from '../offline/drafts';
import {
  forgetOutbox,
  outbox,
  startOutbox,
  type Outgoing,
  type OutgoingComment,
  type OutgoingPost,
  type OutgoingVote,
} from '../offline/outbox';
import { account, onSessionEnd } from '../session/session';
import { toast } from '../ui/toast';
import { ballotBoxes, forgetBallotBoxes } from './ballot_box';
import {
  answeredTally,
  comments,
  forgetEntities,
  keepComments,
  keepPosts,
  pendingComments,
  pendingVotes,
  posts,
  releaseHeld,
} from './entities';
import { addPost, forgetLists } from './lists';
import { forgetThreads, threadShown } from './thread';

/** Comments that wait are told to those who show them only: a thread has a thousand places where one might be. */
function showPendingComments(): void {
  const waiting = new Map<string, OutgoingComment[]>();
  for (const entry of outbox.value) {
    if (entry.kind !== 'comment') continue;
    const above = entry.parent ?? entry.post;
    waiting.set(above, [...(waiting.get(above) ?? []), entry]);
  }
  for (const above of pendingComments.keys()) if (!waiting.has(above)) pendingComments.set(above, undefined);
  for (const [above, entries] of waiting) pendingComments.set(above, entries);
}

/** Votes that wait are shown as if they stood. */
function showPendingVotes(): void {
  const waiting = new Map<string, OutgoingVote>();
  for (const entry of outbox.value) if (entry.kind === 'vote') waiting.set(entry.item, entry);
  for (const item of pendingVotes.keys()) {
    if (waiting.has(item)) continue;
    pendingVotes.set(item, undefined);
    releaseHeld(item);
  }
  for (const [item, entry] of waiting) {
    if (pendingVotes.get(item)?.value !== entry.value) pendingVotes.set(item, { value: entry.value });
  }
}

const sent = {
  comment(_: OutgoingComment, comment: Comment): void {
    if (!comments.get(comment.id)) {
      keepComments([comment]);
      countReply(comment);
    }
    threadShown(comment.post_id, comment.post_id)?.sent(comment);
    for (let above = comments.get(comment.parent_id); above; above = comments.get(above.parent_id))
      threadShown(comment.post_id, above.id)?.sent(comment);
  },
  post(_: OutgoingPost, post: Post): void {
    if (!posts.get(post.id)) countPost(post);
    keepPosts([post]);
    addPost(post);
    ballotBoxes(post.board_slug)?.arrived(post);
    toast(t('published'));
  },
  vote(entry: OutgoingVote, tally: Tally): void {
    answeredTally(entry.item, tally);
  },
  refused(entry: Outgoing, problem: ApiProblem): void {
    if (entry.kind === 'vote') ballotBoxes(posts.get(entry.item)?.board_slug)?.refused(entry.item);
    toast(problemText(problem));
  },
};

/** What was shown with one member's votes is not for the next reader of this device. */
function forgetShown(): void {
  forgetLists();
  forgetThreads();
  forgetBallotBoxes();
  forgetEntities();
}

export function wire(): void {
  outbox.follow(showPendingVotes);
  outbox.follow(showPendingComments);
  startOutbox(sent);
  onChange((change) => {
    if (change.kind !== 'post' || !change.created) return;
    addPost(change.post);
    ballotBoxes(change.post.board_slug)?.arrived(change.post);
  });

  let member = account.value?.id;
  if (member !== undefined) draftsBelongTo(member);
  account.follow(() => {
    if (account.value?.id === member) return;
    member = account.value?.id;
    forgetShown();
    if (member !== undefined) draftsBelongTo(member);
  });
  onSessionEnd(async (gone, byServer) => {
    forgetShown();
    await forgetAnswers();
    // A session that the server ended may be begun again by its member: what they wrote waits for them, and is sent in nobody else's name.
    if (byServer) return;
    forgetDrafts();
    await forgetOutbox(gone);
  });
}
