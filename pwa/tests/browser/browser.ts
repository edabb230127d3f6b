// Chromium as a cheap phone, on the mock community. Skipped where there is no Chromium.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { fill } from '../mock/fill';
import { MockServer } from '../mock/server';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Phone {
  server: MockServer;
  page: Page;
  context: BrowserContext;
  /** What the page complained of: errors of scripts and breaches of the content security policy. */
  complaints: string[];
  close(): Promise<void>;
}

export async function phone(options: { dark?: boolean; locale?: string } = {}): Promise<Phone> {
  const server = new MockServer(fill());
  await server.start();
  const profile = mkdtempSync(join(tmpdir(), 'folkmoot-pwa-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ARGUMENTS,
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
    colorScheme: options.dark ? 'dark' : 'light',
    locale: options.locale ?? 'en-GB',
    baseURL: server.address,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
  });
  const close = async () => {
    await context.close();
    await server.stop();
    rmSync(profile, { recursive: true, force: true });
  };
  return { server, page, context, complaints, close };
}

export async function signIn(page: Page, name = 'asha', to = '/'): Promise<void> {
  await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
}
