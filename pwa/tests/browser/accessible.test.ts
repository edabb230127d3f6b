import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { hasChromium, phone, signIn, type Phone } from './browser';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Finding {
  id: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/** What axe finds, one line each. */
async function findings(page: Page): Promise<string[]> {
  await page.waitForTimeout(400);
  await page.evaluate(AXE);
  const violations = await page.evaluate(async (tags) => {
    const axe = (
      globalThis as unknown as { axe: { run(on: Document, options: unknown): Promise<{ violations: Finding[] }> } }
    ).axe;
    return (await axe.run(document, { runOnly: { type: 'tag', values: tags } })).violations;
  }, TAGS);
  return violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
  );
}

/** Nothing sticks out sideways at the width of a small phone. */
async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** The focus moves after the screen is drawn: a moment later than its heading can be seen. */
async function focused(page: Page, what: { tag?: string; text?: string }): Promise<void> {
  await page.waitForFunction(({ tag, text }) => {
    const element = document.activeElement;
    return (tag ?? element?.tagName) === element?.tagName && (text ?? element?.textContent) === element?.textContent;
  }, what);
}

const PLACES = [
  '/',
  '/b/village-hall',
  '/b/biodiversity',
  '/b/biodiversity/agreement',
  '/b/village-hall/write',
  '/b/village-hall/manage',
  '/account',
  '/new-board',
  '/nowhere',
];

describe.skipIf(!hasChromium).each([
  { name: 'light, English', dark: false, locale: 'en-GB' },
  { name: 'dark, Hindi', dark: true, locale: 'hi-IN' },
])('every screen, $name', ({ dark, locale }) => {
  let on: Phone;
  beforeAll(async () => {
    on = await phone({ dark, locale });
  });
  afterAll(async () => {
    await on.close();
  });

  it('is accessible to strangers', async () => {
    for (const path of ['/', '/sign-in', '/sign-up']) {
      await on.page.goto(path);
      await on.page.locator('h1').waitFor();
      expect([path, await findings(on.page), await overflow(on.page)]).toEqual([path, [], 0]);
    }
  });

  it('is accessible to members', async () => {
    const { page, server } = on;
    if (locale.startsWith('en')) await signIn(page);
    else {
      await page.goto('/sign-in');
      await page.locator('input[name=username]').fill('asha');
      await page.locator('input[name=password]').fill('correct horse');
      await page.locator('form button.primary').click();
      await page.waitForURL((url) => url.pathname === '/');
    }
    const post = server.community.posts.find((one) => one.title.startsWith('Should we'))!;
    const deep = server.community.comments.find((comment) => comment.depth === 3)!;
    for (const path of [...PLACES, `/p/${post.id}`, `/p/${post.id}/c/${deep.id}`]) {
      await page.goto(path);
      await page.locator('h1').waitFor();
      expect([path, await findings(page), await overflow(page)]).toEqual([path, [], 0]);
    }
  });

  it('fits when the letters are twice as large, and from right to left', async () => {
    const { page, server } = on;
    const post = server.community.posts.find((one) => one.title.startsWith('Should we'))!;
    const places = [
      ['/', '.board-card'],
      ['/b/biodiversity', '.big-votes'],
      [`/p/${post.id}`, '.comment'],
    ] as const;
    for (const [path, ready] of places) {
      await page.goto(path);
      await page.locator(ready).first().waitFor();
      for (const [direction, size] of [
        ['rtl', '100%'],
        ['rtl', '200%'],
        ['ltr', '200%'],
      ] as const) {
        await page.evaluate(([dir, fontSize]) => {
          document.documentElement.dir = dir;
          document.documentElement.style.fontSize = fontSize;
        }, [direction, size] as const);
        const cut = await page.evaluate(() =>
          [...document.querySelectorAll('.dock-inner > *')].filter(
            (element) => element.getBoundingClientRect().height > 64,
          ).length,
        );
        expect([path, direction, size, await overflow(page), cut]).toEqual([path, direction, size, 0, 0]);
      }
    }
  });
});

describe.skipIf(!hasChromium)('the keyboard', () => {
  it('reaches the content first, moves the focus to each new heading, and comes out of questions', async () => {
    const on = await phone();
    try {
      const { page } = on;
      await signIn(page, 'asha', '/b/village-hall');
      await page.reload();
      await page.locator('h1').waitFor();
      await page.keyboard.press('Tab');
      await focused(page, { text: 'Skip to the content' });
      await page.keyboard.press('Enter');
      await focused(page, { tag: 'H1' });
      await page.getByRole('link', { name: 'Account' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: /asha/ }).waitFor();
      await focused(page, { tag: 'H1' });
      await page.getByRole('button', { name: 'Sign out on all devices' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await focused(page, { text: 'Sign out on all devices' });
    } finally {
      await on.close();
    }
  });
});
