// What went wrong, in the reader's language. What the server says beyond that (English) is shown when we have no words of our own.
import type { MessageKey } from '../i18n/en';
import { t } from '../i18n/i18n';
import { problemCode } from './api';
import { ApiProblem } from './generated';

const BY_CODE: Record<string, MessageKey> = {
  unreachable: 'error_unreachable',
  wrong_credentials: 'error_wrong_credentials',
  name_taken: 'error_name_taken',
  session_ended: 'error_session_ended',
  unauthenticated: 'error_unauthenticated',
  sign_up_closed: 'error_sign_up_closed',
  board_closed: 'error_board_closed',
  gone: 'error_gone',
  not_yours: 'error_not_yours',
  not_found: 'error_not_found',
  no_such_path: 'error_not_found',
  module_disabled: 'error_not_found',
  forbidden: 'error_forbidden',
  slug_taken: 'error_slug_taken',
  version_conflict: 'error_version_conflict',
  busy: 'error_busy',
  unavailable: 'error_busy',
  timed_out: 'error_busy',
  storage_full: 'error_storage_full',
  internal: 'error_internal',
};

export function problemText(error: unknown): string {
  const code = problemCode(error);
  if (error instanceof ApiProblem && code === 'rate_limited')
    return t('error_rate_limited', { n: error.retryAfter ?? 10 });
  const key = BY_CODE[code];
  if (key) return t(key);
  if (!(error instanceof ApiProblem)) return t('error_unknown');
  // A field that does not fit: the server names it, and says what would.
  const field = error.problem.errors?.[0]?.detail;
  return field ?? error.problem.detail ?? t('error_unknown');
}
