// Opening a board, and managing one: for administrators and moderators.
import { useEffect, useState } from 'preact/hooks';
import { api, problemCode } from '../api/api';
import type { Board, BoardChange, NewBoard } from '../api/generated';
import { problemText } from '../api/problem_text';
import { t } from '../i18n/i18n';
import { navigate } from '../router';
import { account } from '../session/session';
import { useCell } from '../store/cell';
import { boards } from '../store/entities';
import { useAttemptKey } from '../ui/attempt';
import { Field } from '../ui/field';
import { goSignIn, isAdministrator } from '../ui/gate';
import { BackLink, Heading } from '../ui/parts';
import { toast } from '../ui/toast';
import { BoardFrame } from './board';
import { slugError, slugOf } from './sign_rules';

const KINDS: readonly NewBoard['kind'][] = ['discussion', 'statements'];

function KindChoice({ kind, onKind }: { kind: NewBoard['kind']; onKind: (kind: NewBoard['kind']) => void }) {
  return (
    <fieldset class="kinds">
      <legend>{t('board_kind')}</legend>
      {KINDS.map((one) => (
        <label key={one} class="kind">
          <input
            type="radio"
            name="kind"
            value={one}
            checked={kind === one}
            onChange={() => onKind(one)}
            aria-labelledby={`name-${one}`}
            aria-describedby={`kind-${one}`}
          />
          <span>
            <b id={`name-${one}`}>{t(`kind_${one}`)}</b>
            <span class="help" id={`kind-${one}`}>
              {t(`kind_${one}_help`)}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function NewBoardForm() {
  const [title, setTitle] = useState('');
  const [slug, setSlug] = useState<string | undefined>();
  const [description, setDescription] = useState('');
  const [kind, setKind] = useState<NewBoard['kind']>('discussion');
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const keyFor = useAttemptKey();
  const shortName = slug ?? slugOf(title);
  const misfit = slugError(shortName);
  const taken = problemCode(problem) === 'slug_taken' ? problemText(problem) : undefined;

  const open = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    setProblem(undefined);
    if (busy || title.trim() === '' || misfit) return;
    setBusy(true);
    try {
      const body: NewBoard = { slug: shortName, title: title.trim(), description: description.trim(), kind };
      const { data } = await api.createBoard({ body, idempotencyKey: keyFor(JSON.stringify(body)) });
      boards.set(data.slug, data);
      navigate(`/b/${data.slug}`, true);
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void open(event)} noValidate>
      {problem !== undefined && !taken && (
        <p class="notice failure" role="alert">
          {problemText(problem)}
        </p>
      )}
      <Field
        label={t('board_title')}
        value={title}
        onValue={setTitle}
        error={tried && title.trim() === '' ? t('title_missing') : undefined}
        input={{ maxLength: 100, dir: 'auto' }}
      />
      <Field
        label={t('board_slug')}
        value={shortName}
        onValue={(text) => setSlug(text.toLowerCase())}
        help={t('board_slug_help')}
        error={taken ?? (tried && misfit ? t(misfit) : undefined)}
        input={{ maxLength: 60, autocapitalize: 'none', autocorrect: 'off', spellcheck: false, dir: 'ltr' }}
      />
      <Field
        label={t('board_description')}
        value={description}
        onValue={setDescription}
        lines={4}
        input={{ maxLength: 2000 }}
      />
      <KindChoice kind={kind} onKind={setKind} />
      <button class="button primary wide" aria-disabled={busy}>
        {t('open_board')}
      </button>
    </form>
  );
}

/** Strangers sign in first; members without the role are told. */
function useAdministrator(): boolean {
  const member = useCell(account);
  useEffect(() => {
    if (!member) goSignIn(true);
  }, []);
  return member !== undefined && isAdministrator();
}

export function NewBoardScreen() {
  const allowed = useAdministrator();
  return (
    <main id="main" class="screen narrow">
      <BackLink to="/">{t('boards')}</BackLink>
      <Heading title={t('new_board')}>{t('new_board')}</Heading>
      {allowed ? <NewBoardForm /> : <p class="notice">{t('error_forbidden')}</p>}
    </main>
  );
}

function ManageForm({ board }: { board: Board }) {
  const [title, setTitle] = useState(board.title);
  const [description, setDescription] = useState(board.description);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const closed = board.closed_at !== undefined;

  const change = async (body: BoardChange) => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const now = await api.readBoard({ board: board.slug });
      const { data } = await api.changeBoard({ board: board.slug, body, ifMatch: now.etag ?? '*' });
      boards.set(data.slug, data);
      toast(t('saved'));
    } catch (error) {
      setProblem(error);
    }
    setBusy(false);
  };
  const save = (event: Event) => {
    event.preventDefault();
    if (title.trim() !== '') void change({ title: title.trim(), description: description.trim() });
  };
  return (
    <>
      <form class="form" onSubmit={save} noValidate>
        {problem !== undefined && (
          <p class="notice failure" role="alert">
            {problemText(problem)}
          </p>
        )}
        <Field
          label={t('board_title')}
          value={title}
          onValue={setTitle}
          error={title.trim() === '' ? t('title_missing') : undefined}
          input={{ maxLength: 100, dir: 'auto' }}
        />
        <Field
          label={t('board_description')}
          value={description}
          onValue={setDescription}
          lines={4}
          input={{ maxLength: 2000 }}
        />
        <button class="button primary" aria-disabled={busy}>
          {t('save')}
        </button>
      </form>
      <section class="form">
        {!closed && <p class="help">{t('close_board_help')}</p>}
        <button
          class={closed ? 'button' : 'button danger-quiet'}
          aria-disabled={busy}
          onClick={() => void change({ closed: !closed })}
        >
          {t(closed ? 'reopen_board' : 'close_board')}
        </button>
      </section>
    </>
  );
}

export function ManageBoardScreen({ slug }: { slug: string }) {
  const allowed = useAdministrator();
  return (
    <BoardFrame slug={slug}>
      {(board) => (
        <main id="main" class="screen narrow">
          <BackLink to={`/b/${slug}`}>{board.title}</BackLink>
          <Heading title={t('manage_board')}>{t('manage_board')}</Heading>
          {allowed ? <ManageForm board={board} /> : <p class="notice">{t('error_forbidden')}</p>}
        </main>
      )}
    </BoardFrame>
  );
}
