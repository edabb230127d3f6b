// In place of a screen whose contents are not there: on their way, not to be had now, or gone.
import { problemCode } from '../api/api';
import { t } from '../i18n/i18n';
import { BackLink, Failure, Heading, Loading } from '../ui/parts';
import { NotFoundScreen } from './not_found';

const GONE = ['not_found', 'gone', 'no_such_path', 'module_disabled'];

export function Unready({ error, retry }: { error: unknown; retry: () => void }) {
  if (GONE.includes(problemCode(error))) return <NotFoundScreen />;
  return (
    <main id="main" class="screen">
      <BackLink to="/">{t('boards')}</BackLink>
      {error === undefined ? (
        <Loading />
      ) : (
        <>
          <Heading title={t('error_title')}>{t('error_title')}</Heading>
          <Failure error={error} retry={retry} />
        </>
      )}
    </main>
  );
}
