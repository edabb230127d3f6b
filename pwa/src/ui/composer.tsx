// Where an answer is written: keeps a draft with every pause, hands the text to the outbox, and never loses it.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { problemText } from '../api/problem_text';
import { t } from '../i18n/i18n';
import { readDraft, writeDraft } from '../offline/drafts';
import { Room } from './field';
import { toast } from './toast';

interface Props {
  label: string;
  /** The place of its draft; without one nothing is kept (an edit begins with the text that stands). */
  place?: string;
  start?: string;
  most: number;
  submit: string;
  onSubmit: (text: string) => Promise<unknown>;
  onClose: () => void;
  focus?: boolean;
}

const PAUSE = 400;

export function Composer({ label, place, start, most, submit, onSubmit, onClose, focus = true }: Props) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => start ?? (place ? (readDraft(place).text ?? '') : ''));
  const [busy, setBusy] = useState(false);
  const latest = useRef(text);
  latest.current = text;

  useEffect(() => {
    if (!place) return;
    const timer = setTimeout(() => writeDraft(place, { text }), PAUSE);
    return () => clearTimeout(timer);
  }, [place, text]);

  useEffect(() => {
    const element = area.current;
    const opener = document.activeElement;
    if (focus && element) {
      element.focus({ preventScroll: true });
      element.setSelectionRange(element.value.length, element.value.length);
      element.scrollIntoView({ block: 'center', behavior: 'auto' });
    }
    // Leaving in the middle of a pause keeps the last words, too.
    const keep = () => {
      if (place && !done.current) writeDraft(place, { text: latest.current });
    };
    window.addEventListener('pagehide', keep);
    return () => {
      window.removeEventListener('pagehide', keep);
      keep();
      // The focus goes back to where it came from, or at least to the head of the answers.
      requestAnimationFrame(() => {
        const way = opener?.isConnected && opener !== document.body ? opener : document.getElementById('answers-title');
        if (document.activeElement === document.body) (way as HTMLElement | null)?.focus({ preventScroll: true });
      });
    };
  }, []);

  // The keyboard opens, or the text grows: the way to send stays in sight.
  useEffect(() => {
    const show = () => {
      if (document.activeElement === area.current) area.current?.form?.scrollIntoView({ block: 'nearest' });
    };
    show();
    window.addEventListener('resize', show);
    return () => window.removeEventListener('resize', show);
  }, [text]);

  const done = useRef(false);
  const fits = text.trim() !== '' && [...text].length <= most;
  const send = async () => {
    if (!fits || busy) return;
    setBusy(true);
    try {
      await onSubmit(text.trim());
      done.current = true;
      if (place) writeDraft(place, { text: '' });
      onClose();
    } catch (error) {
      setBusy(false);
      toast(problemText(error));
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label for={id}>{label}</label>
      <textarea
        id={id}
        ref={area}
        dir="auto"
        rows={4}
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) void send();
        }}
      />
      <Room text={text} most={most} />
      <div class="row end">
        <button type="button" class="button quiet" onClick={onClose}>
          {t('cancel')}
        </button>
        <button class="button primary" aria-disabled={!fits || busy}>
          {submit}
        </button>
      </div>
    </form>
  );
}
