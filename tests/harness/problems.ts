// Expectations about refusals.
import { expect } from 'vitest';
import type { Problem } from './document.ts';
import type { Answer } from './exchange.ts';

/** The answer is this problem; gives it back for a closer look. */
export function expectProblem(answer: Answer, status: number, code: string): Problem {
  expect({ status: answer.status, text: answer.text }, `${answer.method} ${answer.path}`).toMatchObject({ status });
  const problem = answer.problem();
  expect(problem.code, answer.text).toBe(code);
  return problem;
}

/** Which fields a problem names, in order. */
export const pointers = (problem: Problem): string[] => (problem.errors ?? []).map((error) => error.pointer).sort();

/** The answer is 422 and names this field, perhaps besides the whole of which it is a part, and no other. */
export function expectWrong(answer: Answer, pointer: string): void {
  const problem = expectProblem(answer, 422, 'invalid');
  expect(
    pointers(problem).filter((each) => each !== ''),
    answer.text,
  ).toEqual([pointer]);
}
