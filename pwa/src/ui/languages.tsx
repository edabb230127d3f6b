// The reader's choice of language: all of them in a list, or the other ones by their own names for whoever cannot read this one.
import { chooseLanguage, language, LANGUAGES, t } from '../i18n/i18n';
import { useCell } from '../store/cell';
import { toast } from './toast';

function choose(tag: string): void {
  // A table that was never loaded cannot be had without a network.
  chooseLanguage(tag).catch(() => toast(t('error_unreachable')));
}

export function LanguageChoice() {
  const current = useCell(language);
  return (
    <div class="field">
      <label for="language">{t('language')}</label>
      <select id="language" value={current.tag} onChange={(event) => choose(event.currentTarget.value)}>
        {LANGUAGES.map((one) => (
          <option key={one.tag} value={one.tag} lang={one.tag}>
            {one.name}
          </option>
        ))}
      </select>
    </div>
  );
}

export function OtherLanguages() {
  const current = useCell(language);
  return (
    <>
      {LANGUAGES.filter((one) => one !== current).map((one) => (
        <button key={one.tag} class="button quiet" lang={one.tag} onClick={() => choose(one.tag)}>
          {one.name}
        </button>
      ))}
    </>
  );
}
