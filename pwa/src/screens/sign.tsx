// Signing in and signing up: one form, two screens.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, problemCode } from '../api/api';
import { problemText } from '../api/problem_text';
import type { SignUp } from '../api/generated';
import type { MessageKey } from '../i18n/en';
import { t } from '../i18n/i18n';
import { Link, navigate, ownAddress, usePlace } from '../router';
import { deviceName } from '../session/device';
import { account, begin, endedByServer } from '../session/session';
import { useCell } from '../store/cell';
import { useAttemptKey } from '../ui/attempt';
import { Field, PasswordField } from '../ui/field';
import { Mark } from '../ui/icons';
import { OtherLanguages } from '../ui/languages';
import { Heading } from '../ui/parts';
import { toast } from '../ui/toast';
import { nameError, passwordError } from './sign_rules';

type Mode = 'in' | 'up';

function SignForm({ mode, to }: { mode: Mode; to: string }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const keyFor = useAttemptKey();
  const form = useRef<HTMLFormElement>(null);
  const taken = problemCode(problem) === 'name_taken' ? problemText(problem) : undefined;
  const errors = { name: nameError(name, mode), password: passwordError(password, mode) };

  const submit = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    setProblem(undefined);
    if (busy) return;
    if (errors.name || errors.password) {
      form.current
        ?.querySelector<HTMLInputElement>(errors.name ? 'input[name=username]' : 'input[name=password]')
        ?.focus();
      return;
    }
    setBusy(true);
    try {
      const call = {
        body: { name: name.trim(), password, device: deviceName() },
        idempotencyKey: keyFor(`${mode} ${name} ${password}`),
      };
      const { data } = await (mode === 'in' ? api.signIn(call) : api.signUp(call));
      begin(data);
      toast(t('welcome_back', { name: data.account.name }));
      navigate(to, true);
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const key = (error: MessageKey | null) => (tried && error ? t(error) : undefined);
  return (
    <form class="form" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {problem !== undefined && !taken && (
        <p class="notice failure" role="alert">
          {problemText(problem)}
        </p>
      )}
      <Field
        label={t('name')}
        value={name}
        onValue={(text) => {
          setName(text.toLowerCase());
          setProblem(undefined);
        }}
        help={mode === 'up' ? t('name_help') : undefined}
        error={taken ?? key(errors.name)}
        input={{
          name: 'username',
          autocomplete: 'username',
          autocapitalize: 'none',
          autocorrect: 'off',
          spellcheck: false,
          maxLength: 30,
          dir: 'ltr',
          required: true,
        }}
      />
      <PasswordField
        label={t('password')}
        value={password}
        onValue={setPassword}
        help={mode === 'up' ? t('password_help') : undefined}
        error={key(errors.password)}
        autocomplete={mode === 'in' ? 'current-password' : 'new-password'}
      />
      <button class="button primary wide" aria-disabled={busy}>
        {busy ? t('loading') : t(mode === 'in' ? 'sign_in' : 'sign_up')}
      </button>
    </form>
  );
}

function useSignUpState(): SignUp | undefined {
  const [state, setState] = useState<SignUp | undefined>();
  useEffect(() => {
    api.readSignUp().then(
      ({ data }) => setState(data),
      () => undefined,
    );
  }, []);
  return state;
}

export function SignScreen({ mode }: { mode: Mode }) {
  const { query } = usePlace();
  const to = ownAddress(query.get('to'));
  const state = useSignUpState();
  const over = useCell(endedByServer);
  const other = `/sign-${mode === 'in' ? 'up' : 'in'}${query.get('to') ? `?to=${encodeURIComponent(to)}` : ''}`;
  const heading = t(mode === 'in' ? 'sign_in' : 'sign_up');

  useEffect(() => {
    if (account.value) navigate(to, true);
    // Nobody can sign in where nobody has an account.
    else if (mode === 'in' && state?.first) navigate(other, true);
  }, [state?.first, mode]);
  return (
    <main id="main" class="screen narrow">
      <div class="brand">
        <Mark size={44} />
        <Heading title={heading}>{heading}</Heading>
      </div>
      {over && <p class="notice">{t('session_over')}</p>}
      {!over && query.get('to') !== null && <p class="notice">{t('sign_in_first')}</p>}
      {mode === 'up' && state?.first && <p class="notice good">{t('you_are_first')}</p>}
      {mode === 'up' && state?.open === false ? (
        <p class="notice">{t('error_sign_up_closed')}</p>
      ) : (
        <SignForm key={mode} mode={mode} to={to} />
      )}
      {!state?.first && (
        <p class="other-way">
          {t(mode === 'in' ? 'no_account' : 'have_account')}{' '}
          <Link to={other} replace>
            {t(mode === 'in' ? 'sign_up' : 'sign_in')}
          </Link>
        </p>
      )}
      <p class="languages">
        <OtherLanguages />
      </p>
    </main>
  );
}
