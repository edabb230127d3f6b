// What a name and a password must be, told before asking the server. Pure.
import type { MessageKey } from '../i18n/en';

export function nameError(name: string, mode: 'in' | 'up'): MessageKey | null {
  const plain = name.trim();
  if (plain === '') return 'name_missing';
  if (mode === 'up' && !/^[a-z0-9_-]{3,30}$/.test(plain)) return 'name_misfit';
  return null;
}

export function passwordError(password: string, mode: 'in' | 'up'): MessageKey | null {
  if (password === '') return 'password_missing';
  if (mode === 'up' && [...password].length < 8) return 'password_short';
  return null;
}

/** A board's short name made of its title, as far as its letters go. */
export function slugOf(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '');
}

export function slugError(slug: string): MessageKey | null {
  return /^[a-z0-9-]{1,60}$/.test(slug) ? null : 'slug_misfit';
}
