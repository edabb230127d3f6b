// No such page.
import { t } from '../i18n/i18n';
import { Link } from '../router';
import { BackLink, Heading } from '../ui/parts';

export function NotFoundScreen() {
  return (
    <main id="main" class="screen narrow">
      <BackLink to="/">{t('boards')}</BackLink>
      <Heading title={t('page_not_found')}>{t('page_not_found')}</Heading>
      <div class="notes">
        <p>{t('page_not_found_help')}</p>
        <Link to="/" class="button">
          {t('to_boards')}
        </Link>
      </div>
    </main>
  );
}
