// Agree, disagree, pass on a post or comment: shown at once, undone if the server does not take it. A second touch takes the vote back.
import type { Tally } from '../api/generated';
import { number, t } from '../i18n/i18n';
import { put } from '../offline/outbox';
import { useCell } from '../store/cell';
import { pendingVotes } from '../store/entities';
import { countOf, VOTES, withVote, type Vote } from '../store/tally';
import { once } from './attempt';
import { goSignIn, signedIn } from './gate';
import { AgreeIcon, DisagreeIcon, PassIcon } from './icons';

export const VOTE_ICONS = { agree: AgreeIcon, disagree: DisagreeIcon, pass: PassIcon };

/** The tally as the member should see it: with their own vote, be it on its way. */
export function useTally(item: string, tally: Tally): Tally {
  return withVote(tally, useCell(pendingVotes.cell(item))?.value);
}

interface Props {
  item: string;
  tally: Tally;
  /** What is voted on, for the name of the group. */
  title: string;
  small?: boolean;
  disabled?: boolean;
}

export function VoteButtons({ item, tally, title, small, disabled }: Props) {
  const shown = useTally(item, tally);
  const choose = (vote: Vote) => {
    if (!signedIn()) return goSignIn();
    void put({ kind: 'vote', item, value: shown.own === vote ? null : vote });
  };
  return (
    <div class={small ? 'votes small' : 'votes'} role="group" aria-label={t('votes_of', { title })}>
      {VOTES.map((vote) => {
        const VoteIcon = VOTE_ICONS[vote];
        return (
          <button
            key={vote}
            class={`vote ${vote}`}
            aria-pressed={shown.own === vote}
            disabled={disabled}
            onClick={once(() => choose(vote))}
          >
            <VoteIcon size={small ? 16 : 18} />
            <span class={small ? 'unseen' : 'vote-word'}>{t(vote)}</span>{' '}
            <span class="count">{number(countOf(shown, vote))}</span>
          </button>
        );
      })}
    </div>
  );
}
