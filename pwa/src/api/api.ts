// The one client of the server, and how its refusals are told apart.
import { Unreachable } from '../offline/network';
import { Api, ApiProblem } from './generated';
import { transport } from './transport';

export const api = new Api(transport);

/** The text on the screen is not the one that stands by now. */
export class Stale extends Error {}

export function problemCode(error: unknown): string {
  if (error instanceof Stale) return 'version_conflict';
  if (error instanceof ApiProblem) return error.problem.code;
  return error instanceof Unreachable ? 'unreachable' : 'unknown';
}

/** Whether the same request may well succeed later: it did not reach the server, or the server was in no state to do it. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof ApiProblem && (error.status === 429 || error.status >= 500);
}
