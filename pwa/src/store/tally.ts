// The arithmetic of votes: pure, so that what the screen shows before the server answered can be tested.
import type { Ballot, Tally } from '../api/generated';

export type Vote = Ballot['value'];
export const VOTES: readonly Vote[] = ['agree', 'disagree', 'pass'];

/** A vote on its way: what the member chose, or null for a vote taken back. */
export type PendingVote = Vote | null;

/** What the live channel says of an item's votes: never whose. */
export interface LiveTally {
  item_id: string;
  agree_count: number;
  disagree_count: number;
  pass_count: number;
}

export function countOf(tally: Tally, vote: Vote): number {
  return tally[`${vote}_count`];
}

export function votesIn(tally: Tally): number {
  return tally.agree_count + tally.disagree_count + tally.pass_count;
}

/** The tally as it will stand once `pending` has arrived. */
export function withVote(tally: Tally, pending: PendingVote | undefined): Tally {
  const own = tally.own ?? null;
  if (pending === undefined || pending === own) return tally;
  const shown: Tally = {
    agree_count: tally.agree_count,
    disagree_count: tally.disagree_count,
    pass_count: tally.pass_count,
  };
  if (own) shown[`${own}_count`] = Math.max(0, shown[`${own}_count`] - 1);
  if (pending) {
    shown[`${pending}_count`] += 1;
    shown.own = pending;
  }
  return shown;
}

/** New counts for a known tally; one's own vote is never in live data, so what is known of it stays. */
export function withLiveCounts(known: Tally, live: Omit<LiveTally, 'item_id'>): Tally {
  const tally: Tally = {
    agree_count: live.agree_count,
    disagree_count: live.disagree_count,
    pass_count: live.pass_count,
  };
  if (known.own) tally.own = known.own;
  return tally;
}

/** The shares of a tally in whole percent that add up to 100 (largest remainder); all 0 without votes. */
export function percents(tally: Tally): Record<Vote, number> {
  const total = votesIn(tally);
  const shares: Record<Vote, number> = { agree: 0, disagree: 0, pass: 0 };
  if (total === 0) return shares;
  const rest: { vote: Vote; left: number }[] = [];
  let given = 0;
  for (const vote of VOTES) {
    const exact = (countOf(tally, vote) * 100) / total;
    shares[vote] = Math.floor(exact);
    given += shares[vote];
    rest.push({ vote, left: exact - shares[vote] });
  }
  rest.sort((a, b) => b.left - a.left);
  for (const { vote } of rest.slice(0, 100 - given)) shares[vote] += 1;
  return shares;
}
