// Reading may be free, acting needs a member: the way to the sign-in screen and back.
import { here, navigate } from '../router';
import { account } from '../session/session';

export function signedIn(): boolean {
  return account.value !== undefined;
}

export function goSignIn(replace = false): void {
  navigate(`/sign-in?to=${encodeURIComponent(here())}`, replace);
}

export function isAdministrator(): boolean {
  return account.value?.roles.some((role) => role === 'administrator' || role === 'moderator') ?? false;
}
