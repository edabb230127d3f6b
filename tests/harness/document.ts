// The published document, as a judge: which operation a request means, and whether an answer is one that the document promises.
// What was seen is noted, so that the run can fail when an operation has no test.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Answer } from './exchange.ts';
import { generated } from './paths.ts';

export interface FieldError {
  pointer: string;
  detail: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  instance: string;
  errors?: FieldError[];
}

interface Response {
  content?: Record<string, { schema: object }>;
  headers?: Record<string, { required?: boolean }>;
  $ref?: string;
}

interface Operation {
  operationId: string;
  responses: Record<string, Response>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses?: Record<string, Response> };
  [name: string]: unknown;
}

export const document = JSON.parse(readFileSync(join(generated, 'openapi.json'), 'utf8')) as OpenApi;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface Known {
  name: string;
  method: string;
  path: string;
  pattern: RegExp;
  operation: Operation;
}

/** Every operation of the document. */
export const operations: Known[] = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    name: item[method]!.operationId,
    method: method.toUpperCase(),
    path,
    pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
    operation: item[method]!,
  })),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as typeof addFormats.default)(ajv);
ajv.addSchema({ $id: 'document', ...document });
const validators = new Map<string, ValidateFunction>();

/** A validator of a place in the document, named by its JSON pointer. */
function validator(pointer: string): ValidateFunction {
  let found = validators.get(pointer);
  if (!found) validators.set(pointer, (found = ajv.compile({ $ref: `document#${pointer}` })));
  return found;
}

const escapePointer = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

export function operationOf(method: string, path: string): Known | undefined {
  const bare = path.split('?')[0]!;
  const named = operations.filter((known) => known.path === bare);
  const there = named.length ? named : operations.filter((known) => known.pattern.test(bare));
  return there.find((known) => known.method === method);
}

/** Fails unless the answer is one that the document promises. */
export function check(answer: Answer): void {
  const wrong = faults(answer);
  if (wrong.length === 0) return;
  throw new Error(
    `${answer.method} ${answer.path.slice(0, 200)} was answered ${answer.status} against the document:\n  ${wrong.join('\n  ')}\n${answer.text.slice(0, 2000)}`,
  );
}

function faults(answer: Answer): string[] {
  const known = operationOf(answer.method, answer.path);
  const wrong: string[] = [];
  if (!UUID.test(String(answer.headers['x-request-id']))) wrong.push(`X-Request-Id is ${answer.headers['x-request-id']}, not an id`);
  if (answer.status >= 400) return [...wrong, ...problemFaults(answer)];
  if (!known) return wrong;
  note(known.name, answer.status);
  if (!answer.headers['ratelimit']) wrong.push('the header RateLimit is missing');
  if (answer.status === 304) return answer.raw.length ? [...wrong, 'a 304 has a body'] : wrong;
  return [...wrong, ...successFaults(answer, known)];
}

function problemFaults(answer: Answer): string[] {
  const known = operationOf(answer.method, answer.path);
  if (known) note(known.name, answer.status);
  if (answer.method === 'HEAD') return [];
  if (!isType(answer, 'application/problem+json'))
    return [`content type ${answer.headers['content-type']} instead of application/problem+json`];
  const wrong = schemaFaults('/components/schemas/Problem', answer);
  if (wrong.length) return wrong;
  const problem = answer.problem();
  if (problem.status !== answer.status) wrong.push(`status ${problem.status} in the body`);
  if (problem.instance !== `urn:uuid:${answer.headers['x-request-id']}`) wrong.push(`instance ${problem.instance} is not the request's id`);
  if (problem.status < 500 && !problem.detail && !problem.errors) wrong.push('neither detail nor errors: it does not say what to do');
  if (known && !documented(known, answer.status)) wrong.push(`status ${answer.status} is not documented for ${known.name}`);
  return wrong;
}

function documented(known: Known, status: number): boolean {
  const { responses } = known.operation;
  return String(status) in responses || `${String(status)[0]}XX` in responses || 'default' in responses;
}

function successFaults(answer: Answer, known: Known): string[] {
  const status = String(answer.status);
  const response = known.operation.responses[status];
  if (!response) return [`status ${status} is not documented for ${known.name}`];
  const types = Object.keys(response.content ?? {});
  if (types.length === 0) return answer.raw.length ? [`a ${status} has a body`] : [];
  const type = types.find((name) => isType(answer, name));
  if (!type) return [`content type ${answer.headers['content-type']} instead of ${types.join(' or ')}`];
  const missing = Object.entries(response.headers ?? {}).filter(([name, header]) => header.required && !answer.headers[name.toLowerCase()]);
  const wrong = missing.map(([name]) => `the header ${name} is missing`);
  if (!type.endsWith('json')) return wrong;
  const place = ['paths', known.path, known.method.toLowerCase(), 'responses', status, 'content', type, 'schema'];
  return [...wrong, ...schemaFaults(`/${place.map(escapePointer).join('/')}`, answer)];
}

function schemaFaults(pointer: string, answer: Answer): string[] {
  let value: unknown;
  try {
    value = answer.json();
  } catch (error) {
    return [`the body is no JSON: ${String(error)}`];
  }
  const validate = validator(pointer);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath || 'the body'} ${error.message} ${JSON.stringify(error.params)}`);
}

const isType = (answer: Answer, type: string): boolean =>
  String(answer.headers['content-type'] ?? '')
    .split(';')[0]!
    .trim() === type;

const seen = new Set<string>();

function note(name: string, status: number): void {
  const line = `${name} ${status < 400 ? 'done' : 'refused'}`;
  if (seen.has(line)) return;
  seen.add(line);
  if (process.env.FOLKMOOT_TEST_SCRATCH) appendFileSync(join(process.env.FOLKMOOT_TEST_SCRATCH, 'operations'), `${line}\n`);
}
