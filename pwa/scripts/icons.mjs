// Draws the PNG icons from public/icon.svg with Chromium. Run by hand after changing the drawing; the pictures are kept in the repository.
import { readFileSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const svg = readFileSync('public/icon.svg', 'utf8');
const ICONS = [
  { file: 'icon-180.png', size: 180, square: true },
  { file: 'icon-192.png', size: 192 },
  { file: 'icon-512.png', size: 512 },
  // Masks cut up to a fifth off: no round corners of our own, and the drawing a little smaller.
  { file: 'icon-maskable-512.png', size: 512, square: true, scale: 0.84 },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const { file, size, square, scale = 1 } of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const drawing = square ? svg.replace('rx="112"', '') : svg;
  await page.setContent(
    `<style>html,body{margin:0;background:${square ? '#1f5b4a' : 'transparent'}}svg{display:block;width:${size}px;transform:scale(${scale})}</style>${drawing}`,
  );
  writeFileSync(`public/${file}`, await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
