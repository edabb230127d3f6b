// The reader's language: messages with plurals by Intl.PluralRules, numbers and dates by Intl, direction of writing. English comes with the
// first view, every other language when it is chosen.
import { Cell } from '../store/cell';
import { en, type Message, type MessageKey, type Messages } from './en';

export interface Language {
  tag: string;
  name: string;
  direction: 'ltr' | 'rtl';
  load: () => Promise<Messages>;
}

/** A right-to-left language needs a row here and its table, nothing else: all layout is by logical sides. */
export const LANGUAGES: readonly Language[] = [
  { tag: 'en', name: 'English', direction: 'ltr', load: async () => en },
  { tag: 'hi', name: 'हिन्दी', direction: 'ltr', load: async () => (await import('./hi')).hi },
];

const CHOICE = 'folkmoot.language';
export type Values = Record<string, string | number>;

export const language = new Cell<Language>(LANGUAGES[0]!);
let messages: Messages = en;
/** The language as written where the reader lives: dates and numbers of en-GB are not those of en-US. */
let locale = 'en';
let numbers = new Intl.NumberFormat('en');
let shares = new Intl.NumberFormat('en', { style: 'percent' });
let plurals = new Intl.PluralRules('en');
let relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** The first of the wished languages that we speak; English when we speak none. */
export function pickLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const base = wish?.toLowerCase().split('-')[0];
    const found = LANGUAGES.find((known) => known.tag === base);
    if (found) return found;
  }
  return LANGUAGES[0]!;
}

/** The first of the reader's wishes that is the language `tag`, with its region. */
export function regional(tag: string, wishes: readonly string[]): string {
  return wishes.find((wish) => wish.toLowerCase().split('-')[0] === tag) ?? tag;
}

async function use(chosen: Language): Promise<void> {
  messages = await chosen.load();
  locale = regional(chosen.tag, navigator.languages);
  numbers = new Intl.NumberFormat(locale);
  shares = new Intl.NumberFormat(locale, { style: 'percent' });
  plurals = new Intl.PluralRules(chosen.tag);
  relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  document.documentElement.lang = chosen.tag;
  document.documentElement.dir = chosen.direction;
  language.set(chosen);
}

export async function startLanguage(): Promise<void> {
  let choice: string | null = null;
  try {
    choice = localStorage.getItem(CHOICE);
  } catch {
    // Storage is forbidden: the browser's wishes decide.
  }
  // A table that cannot be loaded (offline, first visit) leaves English.
  await use(pickLanguage([choice, ...navigator.languages])).catch(() => undefined);
}

export async function chooseLanguage(tag: string): Promise<void> {
  await use(pickLanguage([tag]));
  localStorage.setItem(CHOICE, tag);
}

/** A message with its values put in; numbers are written as the language writes them. */
export function fill(message: Message, values: Values, rules: Intl.PluralRules, format: Intl.NumberFormat): string {
  const text = typeof message === 'string' ? message : (message[rules.select(Number(values.n ?? 0))] ?? message.other);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? format.format(value) : value;
  });
}

export function t(key: MessageKey, values: Values = {}): string {
  return fill(messages[key], values, plurals, numbers);
}

export function number(value: number): string {
  return numbers.format(value);
}

/** A share of one hundred. */
export function percent(value: number): string {
  return shares.format(value / 100);
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** "3 hours ago" within a week, the date before that. */
export function ago(iso: string, now: number = Date.now()): string {
  const seconds = Math.min(0, Math.round((Date.parse(iso) - now) / 1000));
  if (seconds < -7 * 86_400) return day(iso);
  for (const [unit, length] of UNITS) if (-seconds >= length) return relative.format(Math.ceil(seconds / length), unit);
  return relative.format(0, 'second');
}

export function day(iso: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(new Date(iso));
}

export function moment(iso: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(iso));
}
