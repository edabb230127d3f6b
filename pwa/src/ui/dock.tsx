// The bar under the thumb: the boards, what this screen is for, the account. On wide windows it stands on top.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/i18n';
import { Link, usePlace } from '../router';
import { account } from '../session/session';
import { Cell, useCell } from '../store/cell';
import { BoardsIcon, Mark, PersonIcon } from './icons';

export interface MainAction {
  label: string;
  icon: ComponentChildren;
  to?: string;
  run?: () => void;
}

const main = new Cell<MainAction | undefined>(undefined);

/** What this screen is for: one action, always in reach. */
export function useMainAction(action: MainAction | undefined, dependencies: unknown[]): void {
  useEffect(() => {
    if (!action) return;
    main.set(action);
    return () => {
      // Whoever came after keeps theirs.
      if (main.value === action) main.set(undefined);
    };
  }, dependencies);
}

function Main({ action }: { action: MainAction }) {
  const inside = (
    <>
      {action.icon}
      <span>{action.label}</span>
    </>
  );
  if (action.to)
    return (
      <Link to={action.to} class="dock-main">
        {inside}
      </Link>
    );
  return (
    <button class="dock-main" onClick={action.run}>
      {inside}
    </button>
  );
}

export function Dock() {
  const { path } = usePlace();
  const member = useCell(account);
  const action = useCell(main);
  const person = member ? { to: '/account', label: t('account') } : { to: '/sign-in', label: t('sign_in') };
  return (
    <header class="dock">
      <nav class="dock-inner" aria-label={t('main_navigation')}>
        <Link to="/" class="dock-link" aria-current={path === '/' ? 'page' : undefined}>
          <span class="dock-mark">
            <Mark size={24} />
          </span>
          <span class="dock-boards">
            <BoardsIcon size={22} />
          </span>
          <span>{t('boards')}</span>
        </Link>
        {action ? <Main action={action} /> : <span class="dock-gap" />}
        <Link to={person.to} class="dock-link" aria-current={path === person.to ? 'page' : undefined}>
          <PersonIcon size={22} />
          <span>{person.label}</span>
        </Link>
      </nav>
    </header>
  );
}
