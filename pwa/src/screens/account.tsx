// Who I am, my devices, my language.
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api/api';
import type { Session } from '../api/generated';
import { problemText } from '../api/problem_text';
import { day, t } from '../i18n/i18n';
import { outbox } from '../offline/outbox';
import { navigate } from '../router';
import { account, end, sessionId } from '../session/session';
import { useCell } from '../store/cell';
import { community } from '../store/community';
import { confirmed } from '../ui/dialog';
import { goSignIn } from '../ui/gate';
import { LanguageChoice } from '../ui/languages';
import { BackLink, Failure, Heading, Loading, MoreButton, When } from '../ui/parts';
import { toast } from '../ui/toast';

/** Whether to go on although something has not been sent yet. */
async function mayLose(): Promise<boolean> {
  const waiting = outbox.value.length;
  return waiting === 0 || confirmed(t('sign_out_waiting_title'), t('sign_out_waiting', { n: waiting }), t('sign_out'));
}

async function leave(): Promise<void> {
  const ended = end();
  navigate('/', true);
  await ended;
}

function Devices() {
  const [sessions, setSessions] = useState<Session[] | undefined>();
  const [next, setNext] = useState<string | undefined>();
  const [error, setError] = useState<unknown>();
  const read = async (cursor?: string) => {
    const { data } = await api.listSessions({ limit: 20, cursor });
    setSessions((known) => (cursor ? [...(known ?? []), ...data.items] : data.items));
    setNext(data.next);
  };
  const load = () => {
    setError(undefined);
    read().catch(setError);
  };
  useEffect(load, []);

  const signOut = async (session: Session) => {
    if (session.current && !(await mayLose())) return;
    try {
      await api.endSession({ session: session.id });
      if (session.current) return await leave();
      setSessions((known) => known?.filter((other) => other.id !== session.id));
      toast(t('signed_out_device', { device: session.device }));
    } catch (problem) {
      toast(problemText(problem));
    }
  };
  const signOutEverywhere = async () => {
    if (
      !(await confirmed(t('sign_out_everywhere_title'), t('sign_out_everywhere_help'), t('sign_out'))) ||
      !(await mayLose())
    )
      return;
    try {
      await api.endAllSessions();
      await leave();
    } catch (problem) {
      toast(problemText(problem));
    }
  };
  return (
    <section aria-labelledby="devices-title">
      <h2 id="devices-title">{t('devices')}</h2>
      <p class="help">{t('devices_help')}</p>
      {error !== undefined && <Failure error={error} retry={load} />}
      {!sessions && error === undefined && <Loading />}
      <ul class="devices">
        {sessions?.map((session) => (
          <li key={session.id}>
            <div>
              <b dir="auto">{session.device}</b>
              <p class="help">
                {session.current && <span class="tag">{t('this_device')}</span>}
                <Used iso={session.used_at} />
              </p>
            </div>
            <button
              class="button small"
              aria-label={t('sign_out_device', { device: session.device })}
              onClick={() => void signOut(session)}
            >
              {t('sign_out')}
            </button>
          </li>
        ))}
      </ul>
      {next !== undefined && <MoreButton label={t('more')} busy={false} onClick={() => read(next)} />}
      <button class="button danger-quiet" onClick={() => void signOutEverywhere()}>
        {t('sign_out_everywhere')}
      </button>
    </section>
  );
}

/** The time in its place within the sentence of the language. */
function Used({ iso }: { iso: string }) {
  const [before, behind] = t('used_at', { time: '\u0000' }).split('\u0000');
  return (
    <>
      {before}
      <When iso={iso} />
      {behind}
    </>
  );
}

export function AccountScreen() {
  const member = useCell(account);
  const about = useCell(community);
  useEffect(() => {
    if (!member) goSignIn(true);
  }, [member]);
  if (!member) return null;
  const thisDevice = async () => {
    if (!(await mayLose())) return;
    const session = sessionId();
    // Offline the device forgets at once; the session on the server is then ended from another device or by time.
    if (session) await api.endSession({ session }).catch(() => undefined);
    await leave();
  };
  return (
    <main id="main" class="screen narrow">
      <BackLink to="/">{t('boards')}</BackLink>
      <Heading title={t('account')}>
        <span class="unseen">{t('account')}: </span>
        {member.name}
      </Heading>
      <p class="tags">
        {member.roles.map((role) => (
          <span key={role} class="tag">
            {t(`role_${role}`)}
          </span>
        ))}
        <span class="tag">{t(`tier_${member.tier}`)}</span>
      </p>
      <p class="help">{t('member_since', { time: day(member.created_at) })}</p>
      <button class="button" onClick={() => void thisDevice()}>
        {t('sign_out')}
      </button>
      <LanguageChoice />
      <Devices />
      <section aria-labelledby="about-title">
        <h2 id="about-title">{t('about')}</h2>
        <p class="help">
          {t('about_version', { version: about?.version ?? '' })} · <a href="/docs/">{t('api_docs')}</a>
        </p>
      </section>
    </main>
  );
}
