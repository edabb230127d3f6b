// Somebody with a browser of their own, on a small phone. What the page complains about is collected and must be nothing.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { project } from '../harness/paths.ts';

const SCREENSHOTS = join(project, 'build/screenshots');
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
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

function executable(): string {
  const candidates = [process.env.FOLKMOOT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error('There is no Chromium: apt install chromium, or name one in FOLKMOOT_CHROMIUM.');
  return found;
}

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: executable(), args: ARGUMENTS });

export interface VisitorOptions {
  userAgent?: string;
  locale?: string;
}

export class Visitor {
  readonly complaints: string[] = [];
  /** Complaints that a step is about: each pattern holds until the visitor leaves. */
  readonly expected: RegExp[] = [];
  transferred = 0; // bytes over the network, packed as they came

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly origin: string,
  ) {
    const complain = (text: string): void => {
      if (!this.expected.some((pattern) => pattern.test(text))) this.complaints.push(text);
    };
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complain(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complain(`uncaught: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 500) complain(`${response.status()} ${response.url()}`);
    });
  }

  static async come(browser: Browser, origin: string, options: VisitorOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({
      baseURL: origin,
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
      hasTouch: true,
      isMobile: true,
      locale: options.locale ?? 'en-GB',
      userAgent: options.userAgent,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const visitor = new Visitor(context, page, origin);
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    });
    const network = await context.newCDPSession(page);
    await network.send('Network.enable');
    network.on('Network.loadingFinished', ({ encodedDataLength }) => (visitor.transferred += encodedDataLength));
    return visitor;
  }

  get main(): Locator {
    return this.page.locator('#main');
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(path);
    await this.page.locator('h1').waitFor({ state: 'attached' });
  }

  /** Touches a link or button by its name. */
  async touch(role: 'link' | 'button', name: string | RegExp, within: Page | Locator = this.page): Promise<void> {
    await within.getByRole(role, { name, exact: typeof name === 'string' }).first().tap();
  }

  async sees(text: string | RegExp, within: Page | Locator = this.page): Promise<void> {
    await within.getByText(text).first().waitFor();
  }

  async sign(how: 'in' | 'up', name: string, password: string): Promise<void> {
    await this.goto(`/sign-${how}`);
    await this.fillSign(how, name, password);
  }

  async fillSign(how: 'in' | 'up', name: string, password: string): Promise<void> {
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    await this.page.getByLabel('Password', { exact: true }).fill(password);
    await this.touch('button', `Sign ${how}`, this.main);
    await this.sees(`Welcome, ${name}.`);
  }

  async shot(name: string): Promise<void> {
    mkdirSync(dirname(join(SCREENSHOTS, name)), { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  /** What axe-core finds wrong by WCAG 2.2 AA, as sentences. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(axe);
    const violations = await this.page.evaluate(async () => {
      const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
      const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> } };
      return (await axe.run({ runOnly: { type: 'tag', values: tags } })).violations;
    });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
  }

  /** How far the page is wider than the window: no screen scrolls sideways. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }

  /** The text of the button that a finger meets at a place of the window. */
  onTop(x: number, y: number): Promise<string | undefined> {
    return this.page.evaluate(([left, top]) => document.elementFromPoint(left!, top!)?.closest('button')?.textContent?.trim(), [x, y]);
  }

  /** Waits until the service worker answers for this page. */
  async isKept(): Promise<void> {
    await this.page.waitForFunction(() => navigator.serviceWorker.controller !== null, undefined, { timeout: 20_000 });
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
