// What to call this device in the list of devices: browser and system, as far as the browser tells.
import { t } from '../i18n/i18n';

const BROWSERS: readonly [RegExp, string][] = [
  [/Edg/, 'Edge'],
  [/SamsungBrowser/, 'Samsung Internet'],
  [/OPR|Opera/, 'Opera'],
  [/Firefox|FxiOS/, 'Firefox'],
  [/Chrome|CriOS/, 'Chrome'],
  [/Safari/, 'Safari'],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/CrOS/, 'ChromeOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

function first(table: readonly [RegExp, string][], agent: string, otherwise: string): string {
  return table.find(([pattern]) => pattern.test(agent))?.[1] ?? otherwise;
}

export function describeAgent(agent: string): { browser: string; system: string } {
  return { browser: first(BROWSERS, agent, 'Browser'), system: first(SYSTEMS, agent, '?') };
}

export function deviceName(): string {
  return t('device_name', describeAgent(navigator.userAgent)).slice(0, 100);
}
