// How people voted, as a bar and in words. Shares are told by place, colour and number, never by colour alone.
import type { Tally } from '../api/generated';
import { number, percent, t } from '../i18n/i18n';
import { countOf, percents, VOTES, votesIn } from '../store/tally';
import { VOTE_ICONS } from './vote_buttons';

export function tallyText(tally: Tally): string {
  if (votesIn(tally) === 0) return t('no_votes');
  return t('tally_text', { agree: tally.agree_count, disagree: tally.disagree_count, pass: tally.pass_count });
}

export function AgreementBar({ tally }: { tally: Tally }) {
  return (
    <span class="bar" aria-hidden="true">
      {VOTES.map(
        (vote) =>
          countOf(tally, vote) > 0 && (
            <span key={vote} class={`bar-part ${vote}`} style={{ flexGrow: countOf(tally, vote) }} />
          ),
      )}
    </span>
  );
}

/** The bar with its counts. */
export function Agreement({ tally }: { tally: Tally }) {
  const shares = percents(tally);
  return (
    <span class="agreement">
      <AgreementBar tally={tally} />
      <span class="unseen">{tallyText(tally)}</span>
      <span class="agreement-counts" aria-hidden="true">
        {VOTES.map((vote) => {
          const VoteIcon = VOTE_ICONS[vote];
          return (
            <span key={vote} class={`agreement-count ${vote}`}>
              <VoteIcon size={14} />
              <b>{number(countOf(tally, vote))}</b>
              {votesIn(tally) > 0 && <small>{percent(shares[vote])}</small>}
            </span>
          );
        })}
      </span>
    </span>
  );
}
