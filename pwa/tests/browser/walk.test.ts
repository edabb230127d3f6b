import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, phone, signIn, type Phone } from './browser';

describe.skipIf(!hasChromium)('a member with a phone', () => {
  let on: Phone;
  beforeEach(async () => {
    on = await phone();
  });
  afterEach(async () => {
    const { complaints } = on;
    await on.close();
    expect(complaints).toEqual([]);
  });

  it('comes from a stranger’s reading through the sign-in back to where they were', async () => {
    const { page } = on;
    await page.goto('/b/village-hall');
    await page.getByRole('link', { name: 'A repair café every first Saturday' }).click();
    await page
      .getByRole('group', { name: /^Vote on/ })
      .getByRole('button', { name: /^Agree/ })
      .click();
    await page.waitForURL(/sign-in/);
    await page.getByLabel('Name').fill('bela');
    await page.getByLabel('Password', { exact: true }).fill('nonsense');
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The name or the password is wrong.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'A repair café every first Saturday' }).waitFor();
    const agree = page.getByRole('button', { name: /^Agree/ });
    await agree.click();
    await page.getByRole('button', { name: /^Agree 1/, pressed: true }).waitFor();
    await agree.click();
    await page.getByRole('button', { name: /^Agree 0/, pressed: false }).waitFor();
  });

  it('sees another member’s answer appear without reloading, and the counts move', async () => {
    const { page, server } = on;
    const post = server.community.posts.find((one) => one.title.startsWith('A repair'))!;
    await signIn(page, 'bela', `/p/${post.id}`);
    await page.getByText('No answers yet.').waitFor();
    await page.waitForTimeout(500);
    const emeka = server.community.accounts.get('emeka')!.account;
    const comment = server.community.addComment(post, undefined, emeka, 'I can solder.');
    await page.getByText('I can solder.').waitFor();
    await page.getByRole('heading', { name: '1 answer' }).waitFor();
    server.community.vote(comment.id, 'voter-x', 'agree');
    await page
      .getByRole('listitem')
      .getByRole('button', { name: /^Agree 1/ })
      .waitFor();
    server.community.addComment(post, comment, emeka, 'And bring a friend.');
    await page.getByText('And bring a friend.').waitFor();
  });

  it('votes on statements one after another and takes one back', async () => {
    const { page, server } = on;
    await signIn(page, 'bela', '/b/biodiversity');
    await page.getByText('0 of 8', { exact: true }).waitFor();
    const first = await page.locator('h2').first().textContent();
    await page.getByRole('button', { name: 'Agree', exact: true }).click();
    await page.getByText('1 of 8', { exact: true }).waitFor();
    await page.waitForFunction((old) => document.querySelector('h2')?.textContent !== old, first);
    await page.getByRole('button', { name: 'Pass', exact: true }).click();
    await page.getByText('2 of 8', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('1 of 8', { exact: true }).waitFor();
    for (let left = 7; left > 0; left--) await page.getByRole('button', { name: 'Disagree', exact: true }).click();
    await page.getByText('You have voted on everything here.').waitFor();
    await page.waitForTimeout(500);
    const bela = server.community.accounts.get('bela')!.account.id;
    expect(server.community.posts.filter((post) => server.community.votes.get(post.id)?.has(bela))).toHaveLength(8);
    await page.getByRole('navigation', { name: 'Order' }).getByRole('link', { name: 'What people agree on' }).click();
    await page.getByText('31,029').waitFor();
    await expect.poll(() => page.getByText('Your vote: Disagree').count()).toBe(7);
  });

  it('reads and writes without a network, and what was written is sent once', async () => {
    const { page, server } = on;
    const post = server.community.posts.find((one) => one.title.startsWith('Should we'))!;
    await signIn(page, 'bela', `/p/${post.id}`);
    await page.getByText('Yes, as long as the choir').waitFor();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    server.cut = true;
    await page.reload();
    await page.getByText('Yes, as long as the choir').waitFor();
    await page.getByText('You are offline.').waitFor();
    await page.getByRole('button', { name: 'Write an answer' }).click();
    await page.getByLabel('Your answer').fill('Written in the tunnel.');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Waiting to be sent').waitFor();
    await page.reload();
    await page.getByText('Waiting to be sent').waitFor();
    server.cut = false;
    server.loseNextAnswerTo = '/comments';
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await page.getByText('Waiting to be sent').waitFor({ state: 'detached' });
    await page.getByText('Written in the tunnel.').waitFor();
    expect(server.community.comments.filter((comment) => comment.body === 'Written in the tunnel.')).toHaveLength(1);
  });

  it('fetches the files of the client once, also for later without a network', async () => {
    const { page, server } = on;
    await page.goto('/');
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const assets = server.files.filter((path) => path.startsWith('/assets/'));
    expect(assets.length).toBeGreaterThan(1);
    expect(assets.length).toBe(new Set(assets).size);
  });

  it('loses neither draft nor place on the way back', async () => {
    const { page, server } = on;
    const post = server.community.posts.find((one) => one.title.startsWith('Should we'))!;
    await signIn(page, 'bela', `/p/${post.id}`);
    await page.getByRole('button', { name: 'Write an answer' }).click();
    await page.getByLabel('Your answer').fill('Half a thought');
    await page.waitForTimeout(600);
    await page.reload();
    await page.getByRole('button', { name: 'Write an answer' }).click();
    await expect.poll(() => page.getByLabel('Your answer').inputValue()).toBe('Half a thought');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: '4 more replies' }).click();
    await page.getByText('Another thought on the choir, number 6.').waitFor();
    await page
      .getByRole('link', { name: /Read on: 1 reply/ })
      .first()
      .scrollIntoViewIfNeeded();
    const before = await page.evaluate(() => window.scrollY);
    await page
      .getByRole('link', { name: /Read on: 1 reply/ })
      .first()
      .click();
    await page.getByText('Then let us write that into the rules').waitFor();
    await page.goBack();
    await page.getByText('Another thought on the choir, number 6.').waitFor();
    expect(Math.abs((await page.evaluate(() => window.scrollY)) - before)).toBeLessThan(40);
  });

  it('edits and deletes what is theirs', async () => {
    const { page, server } = on;
    const post = server.community.posts.find((one) => one.title.startsWith('A repair'))!;
    await signIn(page, 'bela', `/p/${post.id}`);
    await page.getByRole('button', { name: 'Write an answer' }).click();
    await page.getByLabel('Your answer').fill('Count me in');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Edit your answer').fill('Count me in, with cake');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Count me in, with cake').waitFor();
    await page.getByText('edited').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('This answer was deleted.').waitFor();
  });

  it('leaves nothing behind after signing out', async () => {
    const { page, server } = on;
    await signIn(page, 'bela', '/b/village-hall');
    await page.getByText('A repair café').waitFor();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('main').getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('link', { name: 'Sign up' }).waitFor();
    const left = await page.evaluate(async () => {
      const open = indexedDB.open('folkmoot');
      const database = await new Promise<IDBDatabase>((resolve) => (open.onsuccess = () => resolve(open.result)));
      const all = database.transaction(['answers', 'outbox']);
      const names = await new Promise<unknown[]>((resolve) => {
        const request = all.objectStore('answers').getAllKeys();
        request.onsuccess = () => resolve(request.result);
      });
      return { names, stored: Object.keys(localStorage).filter((key) => key !== 'folkmoot.language') };
    });
    expect(left.stored).toEqual([]);
    expect(left.names.filter((name) => !String(name).startsWith('anyone '))).toEqual([]);
    expect(server.calls).toContain(
      'DELETE /api/v1/sessions/' +
        server.calls
          .find((call) => call.startsWith('DELETE'))
          ?.split('/')
          .pop(),
    );
  });
});
