// Every screen by itself: nothing bars anybody (axe-core), nothing scrolls sideways, the keyboard is enough, and Hindi is complete.
import { describe, expect, test } from 'vitest';
import { hi } from '../../pwa/src/i18n/hi.ts';
import { member, type Person } from '../harness/people.ts';
import { BOARD, scene } from './scene.ts';
import type { Visitor } from './visitor.ts';

const PASSWORD = 'a few unrelated words';
const world = scene();

async function look(visitor: Visitor, path: string, ready: string, name: string): Promise<void> {
  await visitor.goto(path);
  await visitor.page.locator(ready).first().waitFor();
  expect(await visitor.barriers(), path).toEqual([]);
  expect(await visitor.overflow(), `${path} scrolls sideways`).toBeLessThanOrEqual(0);
  await visitor.shot(name);
}

/** A board with a thread of some depth. */
async function fill(by: Person): Promise<string> {
  await by.api.createBoard({ body: { slug: 'square', title: 'The square', description: 'Before the town hall.', kind: 'discussion' } });
  const { data: post } = await by.api.createPost({ board: 'square', body: { title: 'Lime trees', body: 'Four of them, on the south side.' } });
  let parent: string | undefined;
  for (let depth = 0; depth < 6; depth++) {
    const body = depth % 2 ? 'averyveryverylongwordthatnobodyhasbrokenintoparts'.repeat(3) : 'They need water in the first summers.';
    parent = (await by.api.createComment({ post: post.id, body: { body, parent } })).data.id;
  }
  return post.id;
}

describe('every screen', () => {
  let visitor: Visitor;
  let post = '';

  test('of a stranger', async () => {
    post = await fill(await member(world.server, 'asha'));
    visitor = await world.come();
    await look(visitor, '/', '.board-card', 'stranger/boards');
    await look(visitor, '/sign-in', 'form', 'stranger/sign_in');
    await look(visitor, '/sign-up', 'form', 'stranger/sign_up');
    await look(visitor, `/b/${BOARD}`, '.ballot-text', 'stranger/voting');
    await look(visitor, `/b/${BOARD}/agreement`, '.statements > li', 'stranger/agreement');
    await look(visitor, '/b/square', '.post-card', 'stranger/board');
    await look(visitor, `/p/${post}`, '.comment', 'stranger/thread');
    await look(visitor, '/nowhere', 'h1', 'stranger/not_found');
  });

  test('of a member', async () => {
    await visitor.sign('up', 'ravi', PASSWORD);
    await look(visitor, '/', '.board-card', 'member/boards');
    await look(visitor, '/b/square', '.post-card', 'member/board');
    await look(visitor, '/b/square/write', 'form', 'member/write');
    await look(visitor, `/b/${BOARD}`, '.ballot-text', 'member/voting');
    await look(visitor, `/b/${BOARD}/write`, 'form', 'member/write_statement');
    await look(visitor, `/p/${post}`, '.comment', 'member/thread');
    await look(visitor, '/account', '.devices > li', 'member/account');
    await look(visitor, '/new-board', 'h1', 'member/new_board_forbidden');
  });

  test('with errors, a composer and a dialog open', async () => {
    await visitor.goto(`/p/${post}`);
    await visitor.touch('button', 'Write an answer');
    expect(await visitor.barriers()).toEqual([]);
    await visitor.goto('/account');
    await visitor.touch('button', 'Sign out on all devices');
    await visitor.page.getByRole('dialog').waitFor();
    expect(await visitor.barriers()).toEqual([]);
    await visitor.shot('member/dialog');
    await visitor.touch('button', 'Sign out', visitor.page.getByRole('dialog'));
    await visitor.page.getByRole('link', { name: 'Sign in', exact: true }).first().waitFor();
    await visitor.goto('/sign-in');
    await visitor.touch('button', 'Sign in', visitor.main);
    await visitor.sees('Enter your name.');
    expect(await visitor.barriers()).toEqual([]);
    await visitor.shot('stranger/sign_in_errors');
  });

  test('of an administrator', async () => {
    const administrator = await world.come();
    await administrator.sign('in', 'asha', 'a long enough password');
    await look(administrator, '/', '.board-card', 'administrator/boards');
    await look(administrator, '/new-board', 'form', 'administrator/new_board');
    await look(administrator, '/b/square/manage', 'form', 'administrator/manage_board');
    await administrator.leave();
  });

  test('in Hindi', async () => {
    await visitor.sign('in', 'ravi', PASSWORD);
    await visitor.goto('/account');
    await visitor.page.getByLabel('Language').selectOption('hi');
    await visitor.page.getByRole('heading', { name: String(hi.devices) }).waitFor();
    expect(await visitor.page.evaluate(() => document.documentElement.lang)).toBe('hi');
    await look(visitor, '/account', '.devices > li', 'hindi/account');
    await look(visitor, '/', '.board-card', 'hindi/boards');
    await look(visitor, `/b/${BOARD}`, '.ballot-text', 'hindi/voting');
    await look(visitor, `/p/${post}`, '.comment', 'hindi/thread');
    await visitor.leave();
  });
});

/** Presses Tab until what has the focus has that name, and can be seen to have it. */
async function tabTo(visitor: Visitor, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await visitor.page.keyboard.press('Tab');
    const focused = await visitor.page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const label = (element as HTMLInputElement).labels?.[0]?.textContent;
      // The ring may be the element's own, or go around the card that its ::after spans.
      const shown = [null, '::after'].some((part) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(element, part);
        return outlineStyle !== 'none' && outlineWidth !== '0px';
      });
      return { name: element.getAttribute('aria-label') ?? label ?? element.textContent?.trim(), shown };
    });
    if (focused.name !== name) continue;
    expect(focused.shown, `one cannot see that “${name}” has the focus`).toBe(true);
    return;
  }
  throw new Error(`Tab does not lead to “${name}”.`);
}

/** After a way to another screen its heading has the focus; the next Tab begins there. */
async function arrives(visitor: Visitor): Promise<void> {
  await visitor.page.waitForFunction(() => document.activeElement?.tagName === 'H1');
}

test('the keyboard is enough to sign in and to vote', async () => {
  const visitor = await world.come();
  const { keyboard } = visitor.page;
  await visitor.goto('/');
  await visitor.page.locator('.board-card').first().waitFor();
  await tabTo(visitor, 'Sign in');
  await keyboard.press('Enter');
  await visitor.page.waitForURL(/\/sign-in/);
  await arrives(visitor);
  await tabTo(visitor, 'Name');
  await keyboard.type('ravi');
  await tabTo(visitor, 'Password');
  await keyboard.type(PASSWORD);
  await tabTo(visitor, 'Sign in');
  await keyboard.press('Enter');
  await visitor.sees('Welcome, ravi.');
  await arrives(visitor);
  await tabTo(visitor, world.talk.title);
  await keyboard.press('Enter');
  await visitor.page.locator('.ballot-text').waitFor();
  await arrives(visitor);
  const shown = await visitor.page.locator('.ballot-text').textContent();
  await tabTo(visitor, 'Disagree');
  await keyboard.press('Enter');
  await visitor.page.waitForFunction((old) => document.querySelector('.ballot-text')?.textContent !== old, shown);
  await tabTo(visitor, 'Pass');
  await visitor.leave();
});
