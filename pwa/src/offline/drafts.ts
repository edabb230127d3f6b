// What was written and not sent yet, by place ("comment/<id>"). In localStorage: written with every pause in typing, so it survives a closed
// tab, a crash and the way through the sign-in screen.

const PREFIX = 'folkmoot.draft.';
/** The member whose drafts these are. */
const OWNER = 'folkmoot.drafts_of';
const MOST = 50;

export type Draft = Record<string, string>;

export function readDraft(place: string): Draft {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PREFIX + place) ?? '{}');
    return typeof found === 'object' && found !== null ? (found as Draft) : {};
  } catch {
    return {};
  }
}

export function writeDraft(place: string, draft: Draft): void {
  try {
    if (Object.values(draft).every((text) => text.trim() === '')) localStorage.removeItem(PREFIX + place);
    else if (localStorage.getItem(PREFIX + place) !== null || places().length < MOST)
      localStorage.setItem(PREFIX + place, JSON.stringify(draft));
  } catch {
    // Full or forbidden: the text is still on the screen.
  }
}

function places(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}

export function forgetDrafts(): void {
  try {
    for (const key of [...places(), OWNER]) localStorage.removeItem(key);
  } catch {
    // Nothing was kept then.
  }
}

/** Drafts outlive a session that the server ended, for its member only: whoever signs in after somebody else finds none. */
export function draftsBelongTo(member: string): void {
  try {
    const owner = localStorage.getItem(OWNER);
    if (owner !== null && owner !== member) forgetDrafts();
    localStorage.setItem(OWNER, member);
  } catch {
    // Nothing was kept then.
  }
}
