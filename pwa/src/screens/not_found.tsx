// No such page.
import { t } from '../i18n/i18n';
import { Link } from '../router';
import { Heading } from '../ui/parts';

export function NotFoundScreen() {
  return (
    <main id="main" class="screen narrow">
      <Heading title={t('page_not_found')}>{t('page_not_found')}</Heading>
      <p>{t('page_not_found_help')}</p>
      <p>
        <Link to="/" class="button">
          {t('to_boards')}
        </Link>
      </p>
    </main>
  );
}
