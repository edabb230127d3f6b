// A question that needs an answer before something that cannot be undone.
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/i18n';
import { Cell, useCell } from '../store/cell';

interface Question {
  title: string;
  text: string;
  yes: string;
  answer: (yes: boolean) => void;
}

const asked = new Cell<Question | undefined>(undefined);

export function confirmed(title: string, text: string, yes: string): Promise<boolean> {
  return new Promise((resolve) => {
    asked.set({
      title,
      text,
      yes,
      answer: (given) => {
        asked.set(undefined);
        resolve(given);
      },
    });
  });
}

export function Dialogs() {
  const question = useCell(asked);
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    if (question && !dialog.current?.open) dialog.current?.showModal();
  }, [question]);

  if (!question) return null;
  // Closed before it goes, so that the focus returns to where it came from.
  const answer = (given: boolean) => {
    dialog.current?.close();
    question.answer(given);
  };
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="dialog-title"
      aria-describedby="dialog-text"
      onCancel={(event) => {
        event.preventDefault();
        answer(false);
      }}
    >
      <h2 id="dialog-title">{question.title}</h2>
      <p id="dialog-text">{question.text}</p>
      <div class="row end">
        <button class="button" onClick={() => answer(false)}>
          {t('cancel')}
        </button>
        <button class="button danger" onClick={() => answer(true)}>
          {question.yes}
        </button>
      </div>
    </dialog>
  );
}
