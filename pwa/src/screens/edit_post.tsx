// Changing one's own post, in its place.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Post } from '../api/generated';
import { problemText } from '../api/problem_text';
import { t } from '../i18n/i18n';
import { savePost } from '../ui/edit';
import { Field, Room } from '../ui/field';
import { mostTitle, MOST_BODY } from './write_post';

export function EditPost({ post, statement, onClose }: { post: Post; statement: boolean; onClose: () => void }) {
  const [title, setTitle] = useState(post.title);
  const [body, setBody] = useState(post.body);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const most = mostTitle(statement);
  useEffect(() => form.current?.querySelector('textarea')?.focus(), []);
  const save = async (event: Event) => {
    event.preventDefault();
    if (busy || title.trim() === '' || [...title].length > most || [...body].length > MOST_BODY) return;
    setBusy(true);
    try {
      await savePost(post.id, statement ? { title: title.trim() } : { title: title.trim(), body: body.trim() });
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <form class="form" ref={form} onSubmit={(event) => void save(event)} aria-label={t('edit_post')}>
      <h1>{t('edit_post')}</h1>
      <Field
        label={t(statement ? 'statement_text' : 'post_title')}
        value={title}
        onValue={setTitle}
        lines={statement ? 4 : 2}
        error={title.trim() === '' ? t('title_missing') : undefined}
      />
      <Room text={title} most={most} />
      {!statement && <Field label={t('post_body')} value={body} onValue={setBody} lines={8} />}
      {!statement && <Room text={body} most={MOST_BODY} />}
      {error !== undefined && (
        <p class="error" role="alert">
          {problemText(error)}
        </p>
      )}
      <div class="row end">
        <button type="button" class="button quiet" onClick={onClose}>
          {t('cancel')}
        </button>
        <button class="button primary" aria-disabled={busy}>
          {t('save')}
        </button>
      </div>
    </form>
  );
}
