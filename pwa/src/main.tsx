// The start: language, session, the wiring, the first screen, and the service worker behind it.
import { render } from 'preact';
import { App } from './app';
import { language, startLanguage, t } from './i18n/i18n';
import { startLive } from './live/live';
import { watchNetwork } from './offline/network';
import { startRouter } from './router';
import { startSession } from './session/session';
import { useCell } from './store/cell';
import { loadCommunity } from './store/community';
import { wire } from './store/wiring';
import './styles/index.css';
import { startClock } from './ui/clock';
import { toast } from './ui/toast';

/** A change of language draws everything anew. */
function Root() {
  return <App key={useCell(language).tag} />;
}

/** A new version waits until it is wanted: a page that changes under one's hands loses what one was about to do. */
async function startServiceWorker(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const registration = await navigator.serviceWorker.register('/sw.js');
  const offer = (worker: ServiceWorker | null) => {
    if (!worker || !navigator.serviceWorker.controller) return;
    toast(t('update_ready'), { label: t('update_now'), run: () => worker.postMessage('use') });
  };
  offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const coming = registration.installing;
    coming?.addEventListener('statechange', () => {
      if (coming.state === 'installed') offer(coming);
    });
  });
  let had = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (had) location.reload();
    had = true;
  });
}

async function start(): Promise<void> {
  startSession();
  startRouter();
  watchNetwork();
  wire();
  startLive();
  startClock();
  void loadCommunity();
  await startLanguage();
  const root = document.getElementById('app');
  if (root) render(<Root />, root);
  await startServiceWorker().catch(() => undefined);
}

void start();
