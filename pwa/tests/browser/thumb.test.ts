// What a thumb on a small phone meets: places to touch, double taps, the way back up, long threads, times, drafts, and errors on the way.
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, phone, signIn, type Phone } from './browser';

const LEAST = 44;

/** What can be touched and is smaller than a thumb; links within a sentence may be. */
function small(page: Page): Promise<string[]> {
  return page.evaluate((least) => {
    const all = [...document.querySelectorAll('a, button, input, select, summary')].map((element) => {
      const { width, height } = element.getBoundingClientRect();
      const shown = getComputedStyle(element).display !== 'inline' && !element.closest('label, .skip') && width > 0;
      return shown && Math.round(Math.min(width, height)) < least ? `${element.outerHTML.slice(0, 90)} ${width}×${height}` : '';
    });
    return all.filter((text) => text !== '');
  }, LEAST);
}

declare const meets: typeof uncovered;

/** Whether a touch in the middle of the button of that name meets it. */
function uncovered(name: string, within: Element): boolean {
  const button = [...within.querySelectorAll('button')].find((one) => one.textContent?.trim() === name);
  const { left, top, width, height } = button?.getBoundingClientRect() ?? new DOMRect();
  const met = document.elementFromPoint(left + width / 2, top + height / 2);
  return met !== null && button !== undefined && button.contains(met);
}

describe.skipIf(!hasChromium)('a thumb', () => {
  let on: Phone;
  const post = (start: string) => on.server.community.posts.find((one) => one.title.startsWith(start))!;
  beforeEach(async () => {
    on = await phone();
    await on.page.addInitScript(`globalThis.meets = ${uncovered.toString()}`);
  });
  afterEach(async () => {
    const { complaints } = on;
    await on.close();
    expect(complaints).toEqual([]);
  });

  it('finds everything large enough', async () => {
    const { page } = on;
    for (const path of ['/', '/sign-up']) {
      await page.goto(path);
      await page.locator('h1').waitFor();
      expect(await small(page)).toEqual([]);
    }
    await signIn(page);
    const deep = on.server.community.comments.find((comment) => comment.depth === 3)!;
    const places: [string, string][] = [
      ['/b/village-hall', '.post-card'],
      ['/b/biodiversity', '.big-votes'],
      ['/b/biodiversity/agreement', '.statement'],
      [`/p/${post('Should we').id}`, '.comment'],
      [`/p/${post('Should we').id}/c/${deep.id}`, '.post'],
      ['/account', '.devices li'],
      ['/nowhere', 'h1'],
    ];
    for (const [path, ready] of places) {
      await page.goto(path);
      await page.locator(ready).first().waitFor();
      expect([path, await small(page)]).toEqual([path, []]);
    }
  });

  it('that taps twice votes once and publishes once', async () => {
    const { page, server } = on;
    await signIn(page, 'bela', '/b/biodiversity');
    await page.getByRole('button', { name: 'Agree', exact: true }).dblclick();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await page.getByRole('progressbar').waitFor();
    expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('1');
    await page.goto(`/p/${post('A repair').id}`);
    await page.getByRole('button', { name: /^Agree/ }).dblclick();
    await page.getByRole('button', { name: /^Agree 1/, pressed: true }).waitFor();
    await page.goto('/b/village-hall/write');
    await page.getByLabel('Title').fill('Said once');
    await page.getByRole('button', { name: 'Publish' }).dblclick();
    await page.getByRole('heading', { name: 'Said once' }).first().waitFor();
    await page.getByText('Sending…').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    expect(server.community.posts.filter((one) => one.title === 'Said once')).toHaveLength(1);
  });

  it('goes up to the list at the place where it left it', async () => {
    const { page, server } = on;
    const { community } = server;
    const board = community.boards.find((one) => one.slug === 'village-hall')!;
    const author = community.accounts.get('bela')!.account;
    for (let count = 1; count <= 15; count++) community.addPost(board, author, `Proposal ${count}`, 'Because.');
    await page.goto('/');
    await page.getByRole('link', { name: 'The village hall' }).click();
    await page.getByRole('link', { name: 'Proposal 3', exact: true }).scrollIntoViewIfNeeded();
    const height = await page.evaluate(() => window.scrollY);
    expect(height).toBeGreaterThan(500);
    await page.getByRole('link', { name: 'Proposal 3', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Proposal 3' }).waitFor();
    await page.getByRole('main').getByRole('link', { name: 'The village hall' }).click();
    await page.waitForURL(/village-hall$/);
    await page.waitForFunction((before) => Math.abs(window.scrollY - before) < 40, height);
    // Where one is already, one need not go back from twice.
    await page.getByRole('main').getByRole('link', { name: 'Boards' }).click();
    await page.waitForURL((url) => url.pathname === '/');
    const entries = await page.evaluate(() => history.length);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Boards' }).click();
    expect(await page.evaluate(() => history.length)).toBe(entries);
  });

  it('moves one comment of a long thread without drawing the others', async () => {
    const { page, server } = on;
    const author = server.community.accounts.get('chidi')!.account;
    const long = post('A repair');
    for (let count = 1; count <= 120; count++) server.community.addComment(long, undefined, author, `Word ${count}`);
    await signIn(page, 'bela', `/p/${long.id}`);
    await page.getByText('Word 20', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('Word 70', { exact: true }).waitFor();
    // Each comment writes three numbers whenever it is drawn.
    await page.evaluate(() => {
      const { get } = Object.getOwnPropertyDescriptor(Intl.NumberFormat.prototype, 'format')!;
      const counted = Object.assign(window, { numbers: 0 });
      Object.defineProperty(Intl.NumberFormat.prototype, 'format', {
        get() {
          counted.numbers++;
          return get!.call(this);
        },
      });
    });
    const third = page.locator('.comment').nth(2);
    await third.getByRole('button', { name: /^Agree/ }).click();
    await third.getByRole('button', { name: /^Agree 1/, pressed: true }).waitFor();
    await expect.poll(() => server.calls.filter((call) => call.startsWith('PUT')).length).toBe(1);
    server.community.addComment(long, undefined, author, 'Word 121');
    await page.getByRole('heading', { name: '121 answers' }).waitFor();
    const written = await page.evaluate(() => (window as unknown as { numbers: number }).numbers);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(3 * 70);
  });

  it('is told why more does not come, and keeps what there is', async () => {
    const { page, server } = on;
    const author = server.community.accounts.get('chidi')!.account;
    const long = post('A repair');
    for (let count = 1; count <= 30; count++) server.community.addComment(long, undefined, author, `Word ${count}`);
    await page.goto(`/p/${long.id}`);
    await page.getByText('Word 20', { exact: true }).waitFor();
    server.cut = true;
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    server.cut = false;
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('Word 30', { exact: true }).waitFor();
    expect(await page.getByText('Word 1', { exact: true }).count()).toBe(1);
  });

  it('is led on from an address where nothing is', async () => {
    const { page } = on;
    const nothing = '01890000-0000-7000-8000-000000000000';
    for (const path of ['/b/no-such-board', `/p/${nothing}`, `/p/${post('Should we').id}/c/${nothing}`]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: 'There is no such page' }).waitFor();
      await page.getByRole('link', { name: 'To the boards' }).waitFor();
    }
  });

  it('finds no draft of whoever used the phone before', async () => {
    const { page, server } = on;
    const path = `/p/${post('Should we').id}`;
    const write = () => page.getByRole('button', { name: 'Write an answer' }).click();
    await signIn(page, 'bela', path);
    await write();
    await page.getByLabel('Your answer').fill('For nobody else');
    server.endSessions();
    await page.getByRole('button', { name: /^Agree/ }).first().click();
    await page.getByText('Your session has ended.').waitFor();
    await page.getByRole('status').getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(/sign-in/);
    await signIn(page, 'bela', path);
    await write();
    await expect.poll(() => page.getByLabel('Your answer').inputValue()).toBe('For nobody else');
    server.endSessions();
    await page.getByRole('button', { name: /^Agree/ }).first().click();
    await page.getByText('Your session has ended.').waitFor();
    await signIn(page, 'chidi', path);
    await write();
    expect(await page.getByLabel('Your answer').inputValue()).toBe('');
  });

  it('finds its language before there is an account, and dates as its region writes them', async () => {
    const { page } = on;
    await page.goto('/sign-up');
    await page.getByRole('button', { name: 'हिन्दी' }).click();
    await page.getByRole('heading', { level: 1, name: 'खाता बनाएँ' }).waitFor();
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sign up' }).waitFor();
    await page.goto(`/p/${post('A repair').id}`);
    const time = page.locator('article time').first();
    expect(await time.getAttribute('title')).toMatch(/^\d{1,2} \p{L}+ \d{4}/u);
  });

  it('sees times go on while it reads', async () => {
    const { page, server } = on;
    await page.clock.install();
    const author = server.community.accounts.get('chidi')!.account;
    await page.goto(`/p/${post('A repair').id}`);
    await page.getByText('No answers yet.').waitFor();
    const comment = server.community.addComment(post('A repair'), undefined, author, 'Just said');
    comment.created_at = new Date().toISOString();
    await page.reload();
    await page.locator('.comment time').filter({ hasText: 'now' }).waitFor();
    await page.clock.fastForward('05:00');
    await page.locator('.comment time').filter({ hasText: 'minutes ago' }).waitFor();
  });

  it('finds the way to send above the keyboard', async () => {
    const { page } = on;
    await signIn(page, 'bela', `/p/${post('Should we').id}`);
    await page.getByRole('button', { name: 'Reply to chidi' }).first().click();
    await page.setViewportSize({ width: 360, height: 400 });
    await page.getByLabel('Your reply to chidi').fill('A line\n'.repeat(15));
    await page.waitForFunction(() => meets('Send', document.querySelector('.composer')!));
  });

  it('finds the buttons to vote where they were, without a network and below a long statement', async () => {
    const { page, server } = on;
    const { community } = server;
    await signIn(page, 'bela', '/b/biodiversity');
    const agree = page.getByRole('button', { name: 'Agree', exact: true });
    const before = await agree.boundingBox();
    server.cut = true;
    await agree.click();
    await page.getByText('You are offline.').waitFor();
    expect(await agree.boundingBox()).toEqual(before);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(740);
    server.cut = false;
    const board = community.addBoard('long', 'Long ones', 'statements', '');
    community.addPost(board, community.accounts.get('chidi')!.account, 'One thing and another. '.repeat(17));
    await page.goto('/b/long');
    await agree.waitFor();
    await page.waitForFunction(() => meets('Agree', document.querySelector('.ballot-controls')!));
  });

  it('closes a composer and is where it was', async () => {
    const { page } = on;
    await signIn(page, 'bela', `/p/${post('Should we').id}`);
    const reply = page.getByRole('button', { name: 'Reply to chidi' }).first();
    await reply.click();
    await page.getByLabel('Your reply to chidi').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Reply to chidi');
    await page.getByRole('button', { name: 'Write an answer' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'answers-title');
  });
});
