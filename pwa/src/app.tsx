// The frame of every screen, and the choice of the screen by the address.
import { useEffect } from 'preact/hooks';
import { t } from './i18n/i18n';
import { place, usePlace, useScroll } from './router';
import { route, type Route } from './routes';
import { AccountScreen } from './screens/account';
import { BoardScreen } from './screens/board';
import { BoardsScreen } from './screens/boards';
import { ManageBoardScreen, NewBoardScreen } from './screens/new_board';
import { NotFoundScreen } from './screens/not_found';
import { SignScreen } from './screens/sign';
import { ThreadScreen } from './screens/thread';
import { WritePostScreen } from './screens/write_post';
import { account, endedByServer } from './session/session';
import { useCell } from './store/cell';
import { Dialogs } from './ui/dialog';
import { Dock } from './ui/dock';
import { goSignIn } from './ui/gate';
import { toast, Toasts } from './ui/toast';
import { StatusBar } from './ui/waiting';

function Screen({ to }: { to: Route }) {
  switch (to.screen) {
    case 'boards':
      return <BoardsScreen />;
    case 'sign_in':
      return <SignScreen mode="in" />;
    case 'sign_up':
      return <SignScreen mode="up" />;
    case 'account':
      return <AccountScreen />;
    case 'new_board':
      return <NewBoardScreen />;
    case 'board':
      return <BoardScreen key={to.slug} slug={to.slug} tab={to.tab} />;
    case 'write':
      return <WritePostScreen slug={to.slug} />;
    case 'manage':
      return <ManageBoardScreen slug={to.slug} />;
    case 'thread':
      return <ThreadScreen key={`${to.post} ${to.comment}`} post={to.post} comment={to.comment} />;
    default:
      return <NotFoundScreen />;
  }
}

export function App() {
  const current = usePlace();
  const ended = useCell(endedByServer);
  useScroll(current);
  useEffect(() => {
    // The sign-in screen says it by itself.
    if (ended && !account.value && !place.value.path.startsWith('/sign-'))
      toast(t('session_over'), { label: t('sign_in'), run: () => goSignIn() });
  }, [ended]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>('h1')?.focus();
        }}
      >
        {t('skip')}
      </a>
      <Dock />
      <StatusBar />
      <Screen to={route(current.path)} />
      <Toasts />
      <Dialogs />
    </>
  );
}
