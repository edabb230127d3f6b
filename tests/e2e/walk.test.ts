// The walk of a newcomer: reads an imported conversation, signs up, votes, answers, and sees what another member answers.
import type { Locator } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { stranger } from '../harness/people.ts';
import type { Tally } from './conversation.ts';
import { BOARD, scene } from './scene.ts';
import type { Visitor } from './visitor.ts';

const FIRST_VIEW_MOST = 200 * 1024; // bytes
const THUMB_LEAST = 44; // pixels of CSS
const PASSWORD = 'a few unrelated words';

const world = scene();
let asha: Visitor; // the first to sign up
let ravi: Visitor;
let thread = ''; // the address of the statement that they talk about

const plain = (text: string): string => text.replace(/(\d)[,.\u202f\u00a0](?=\d{3})/g, '$1').replace(/\s+/g, ' ').trim();

async function textOf(place: Locator): Promise<string> {
  return plain((await place.first().textContent()) ?? '');
}

/** The numbers of votes on a board, as the server says them now. */
async function votesNow(): Promise<number> {
  const { data } = await stranger(world.server).api.readBoard({ board: BOARD });
  return data.agree_count + data.disagree_count + data.pass_count;
}

async function shownTallies(visitor: Visitor): Promise<[string, Tally][]> {
  const rows = await visitor.page.locator('.statements > li').all();
  return Promise.all(
    rows.map(async (row): Promise<[string, Tally]> => {
      const numbers = (await textOf(row.locator('.agreement .unseen'))).match(/\d+/g)?.map(Number) ?? [0, 0, 0];
      const [agree = 0, disagree = 0, pass = 0] = numbers;
      return [(await row.locator('.statement-text').textContent())!.replace(/\s+/g, ' ').trim(), { agree, disagree, pass }];
    }),
  );
}

describe('a stranger', () => {
  test('sees the imported conversation on a first view of at most 200 KB', async () => {
    const visitor = await world.come();
    await visitor.goto('/');
    const card = visitor.page.locator('.board-card');
    await visitor.sees(world.talk.title, card);
    await visitor.page.waitForLoadState('networkidle');
    expect(visitor.transferred).toBeLessThanOrEqual(FIRST_VIEW_MOST);
    expect(await textOf(card.locator('.totals'))).toContain(`${world.talk.statements} statements`);
    expect(await textOf(card.locator('.totals'))).toContain(`${world.talk.voters} people voted`);
    await visitor.shot('boards_stranger');
    await visitor.leave();
  });

  test('reads the counts of the board and of each statement as they stand in the files', async () => {
    const visitor = await world.come();
    await visitor.goto('/');
    await visitor.page.locator('.board-card h2 a').tap();
    await visitor.page.locator('.ballot-text').waitFor();
    await visitor.touch('link', 'What people agree on');
    await visitor.page.locator('.statements > li').first().waitFor();
    const { agree, disagree, pass } = world.talk.votes;
    expect(await textOf(visitor.page.locator('.legend'))).toBe(`${agree} Agree${disagree} Disagree${pass} Pass`);
    const tallies = await shownTallies(visitor);
    expect(tallies.length).toBeGreaterThanOrEqual(Math.min(10, world.talk.statements));
    for (const [text, tally] of tallies) expect(world.talk.of.get(text), text).toContainEqual(tally);
    await visitor.shot('agreement');
    await visitor.leave();
  });

  test('is led to sign in when voting, and back', async () => {
    asha = await world.come();
    await asha.goto(`/b/${BOARD}`);
    await asha.touch('button', 'Agree');
    await asha.page.waitForURL(/\/sign-/);
  });
});

describe('a member', () => {
  test('signs up as the first, who is the administrator', async () => {
    await asha.goto(`/sign-up?to=${encodeURIComponent(`/b/${BOARD}`)}`);
    await asha.sees('You are the first: you will be the administrator.');
    await asha.shot('sign_up');
    await asha.fillSign('up', 'asha', PASSWORD);
    await asha.page.waitForURL(new RegExp(`/b/${BOARD}$`));
    await asha.page.locator('.ballot-text').waitFor();
  });

  test('finds buttons for the thumb', async () => {
    for (const name of ['Agree', 'Disagree', 'Pass']) {
      const box = (await asha.page.locator('.big-votes').getByRole('button', { name, exact: true }).boundingBox())!;
      expect(Math.min(box.width, box.height), name).toBeGreaterThanOrEqual(THUMB_LEAST);
      expect(box.y, `${name} is in the upper half`).toBeGreaterThan(370);
      expect(box.y + box.height, `${name} is below the fold`).toBeLessThanOrEqual(740);
      expect(await asha.onTop(box.x + box.width / 2, box.y + box.height / 2), `what lies over ${name}`).toBe(name);
    }
    await asha.shot('voting');
  });

  test('votes on one statement after another, and takes the last vote back', async () => {
    const before = await votesNow();
    const seen = new Set<string>();
    for (const vote of ['Agree', 'Disagree', 'Pass', 'Agree', 'Disagree']) {
      const shown = await textOf(asha.page.locator('.ballot-text'));
      seen.add(shown);
      await asha.touch('button', vote, asha.page.locator('.big-votes'));
      await asha.page.waitForFunction((old) => document.querySelector('.ballot-text')?.textContent?.replace(/\s+/g, ' ').trim() !== old, shown);
    }
    expect(seen.size).toBe(5);
    const progress = asha.page.getByRole('progressbar');
    expect(await progress.getAttribute('aria-valuenow')).toBe('5');
    expect(Number(await progress.getAttribute('aria-valuemax'))).toBe(world.talk.open);
    await asha.touch('button', 'Undo');
    await asha.page.waitForFunction(() => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') === '4');
    await expect.poll(votesNow, { timeout: 5000 }).toBe(before + 4);
  });

  test('answers a statement', async () => {
    await asha.page.locator('.ballot-foot a').tap();
    await asha.page.waitForURL(/\/p\//);
    thread = new URL(asha.page.url()).pathname;
    await asha.touch('button', 'Write an answer');
    await asha.page.getByLabel('Your answer').fill('It depends on who is insured.\n\nSee https://example.org/insurance for what there is.');
    await asha.touch('button', 'Send');
    await asha.sees('It depends on who is insured.');
    await asha.page.getByText('Waiting to be sent').waitFor({ state: 'detached' });
    await asha.sees('1 answer');
  });

  test('sees the answer of another member appear without reloading', async () => {
    await asha.page.evaluate(() => ((window as unknown as { mark: number }).mark = 1));
    ravi = await world.come({ userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0' });
    await ravi.sign('up', 'ravi', PASSWORD);
    await ravi.goto(thread);
    await ravi.sees('It depends on who is insured.');
    await ravi.touch('button', 'Reply to asha');
    await ravi.page.getByLabel('Your reply to asha').fill('The drivers are, since last spring.');
    await ravi.touch('button', 'Send');
    await asha.sees('The drivers are, since last spring.');
    expect(await asha.page.evaluate(() => (window as unknown as { mark?: number }).mark)).toBe(1);
    await asha.sees('2 answers');
    await asha.shot('thread_live');
  });

  test('sees the votes of another member change without reloading', async () => {
    const disagree = (visitor: Visitor): Locator => visitor.page.getByRole('article').first().getByRole('button', { name: /^Disagree/ });
    const count = async (): Promise<number> => Number(/\d+/.exec(await textOf(disagree(asha)))![0]);
    const before = await count();
    await disagree(ravi).tap();
    await expect.poll(count, { timeout: 5000 }).toBe(before + 1);
  });

  test('is still signed in after a reload', async () => {
    await asha.page.reload();
    await asha.sees('The drivers are, since last spring.');
    await asha.page.getByRole('link', { name: 'Account', exact: true }).waitFor();
    await asha.page.getByText('asha').first().waitFor();
  });
});

describe('without a network', () => {
  const written = 'Written in the tunnel.';

  test('what was read can be read, and an answer is written down', async () => {
    await asha.isKept();
    await asha.goto(thread);
    await asha.sees('The drivers are, since last spring.');
    await asha.page.waitForLoadState('domcontentloaded');
    asha.expected.push(/ERR_INTERNET_DISCONNECTED/, /net::ERR_/);
    await asha.context.setOffline(true);
    await asha.page.reload();
    await asha.sees('The drivers are, since last spring.');
    await asha.touch('button', 'Write an answer');
    await asha.page.getByLabel('Your answer').fill(written);
    await asha.touch('button', 'Send');
    await asha.sees('Waiting to be sent');
    await asha.sees('You are offline.');
    await asha.shot('offline');
  });

  test('it is sent once when the network is back', async () => {
    await asha.context.setOffline(false);
    await ravi.sees(written);
    await asha.page.getByText('Waiting to be sent').waitFor({ state: 'detached' });
    await asha.page.reload();
    await asha.sees(written);
    expect(await asha.page.locator('.comment').getByText(written).count()).toBe(1);
    const { data } = await stranger(world.server).api.listComments({ post: thread.slice('/p/'.length), limit: 100 });
    expect(data.items.filter((comment) => comment.body === written)).toHaveLength(1);
  });
});

describe('the administrator', () => {
  test('opens a board', async () => {
    await asha.goto('/');
    await asha.touch('link', 'New board');
    await asha.page.getByLabel('Title', { exact: true }).fill('The square');
    await expect.poll(() => asha.page.getByLabel('Short name in the address').inputValue()).toBe('the-square');
    await asha.page.getByLabel('What it is about').fill('What we want to do with the square before the town hall.');
    await asha.page.getByRole('radio', { name: /^Discussion/ }).check();
    await asha.shot('new_board');
    await asha.touch('button', 'Open the board');
    await asha.page.waitForURL(/\/b\/the-square$/);
  });

  test('posts, edits and deletes', async () => {
    await asha.touch('link', 'Write a post');
    await asha.page.getByLabel('Title', { exact: true }).fill('Trees');
    await asha.page.getByLabel('Text (may stay empty)').fill('Four lime trees on the south side.');
    await asha.touch('button', 'Publish');
    await asha.page.waitForURL(/\/b\/the-square$/);
    await asha.page.locator('.post-card h2 a').tap();
    await asha.touch('button', 'Edit', asha.page.getByRole('article').first());
    await asha.page.getByLabel('Title', { exact: true }).fill('Lime trees');
    await asha.touch('button', 'Save');
    await asha.page.getByRole('heading', { name: 'Lime trees' }).waitFor();
    await asha.sees('edited');
    await asha.shot('post');
    await asha.touch('button', 'Delete', asha.page.getByRole('article').first());
    await asha.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).tap();
    await asha.page.getByRole('heading', { name: 'This post was deleted.' }).waitFor();
  });

  test('sees the devices, and signs out another one', async () => {
    const other = await world.come({ userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0' });
    await other.sign('in', 'asha', PASSWORD);
    await other.page.getByRole('link', { name: 'Account', exact: true }).waitFor();
    await asha.goto('/account');
    await asha.touch('button', 'Sign out Firefox on Windows');
    await asha.sees('Signed out Firefox on Windows.');
    await asha.shot('account');
    other.expected.push(/status of 401/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await other.goto('/account');
    await other.sees('Your session has ended.');
    await other.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await other.leave();
  });
});
