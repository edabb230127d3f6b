"""Writes the TypeScript client: types of all public schemas and a class with a method per operation."""
import json
import textwrap

from generate_api_model import Mistake, camel

HEAD = '''\
// Made from openapi/*.yaml by tools/generate_api.py: change it there.

/** A request that did not succeed: what the server said. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  readonly status: number;
  /** Seconds after which to try again, when the server said so. */
  readonly retryAfter?: number;

  constructor(problem: Problem, status: number, retryAfter?: number) {
    super(problem.detail ?? problem.title);
    this.name = 'ApiProblem';
    this.problem = problem;
    this.status = status;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }
}

export type QueryValues = Record<string, string | number | boolean | undefined>;

export interface RequestOptions {
  query?: QueryValues;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** What carries requests: fetch with a token in the web client, something else in a test. */
export interface Transport {
  request(method: string, path: string, options: RequestOptions): Promise<{ status: number; headers: Headers; body: unknown }>;
}

export interface Result<T> {
  data: T;
  etag?: string;
  status: number;
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'title' in body;
}

function problemOf(status: number, headers: Headers, body: unknown): ApiProblem {
  const unknown: Problem = { type: 'about:blank', title: `The server answered ${status}.`, status, code: 'unknown', instance: '' };
  const retryAfter = Number.parseInt(headers.get('retry-after') ?? '', 10);
  return new ApiProblem(isProblem(body) ? body : unknown, status, Number.isNaN(retryAfter) ? undefined : retryAfter);
}

'''

CLASS_HEAD = '''\
/** The operations of the server. Each method ends in an ApiProblem when the server refuses. */
export class Api {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  private async call<T>(method: string, path: string, options: RequestOptions): Promise<Result<T>> {
    const { status, headers, body } = await this.transport.request(method, path, options);
    if (status < 200 || status > 299) throw problemOf(status, headers, body);
    const result: Result<T> = { data: body as T, status };
    const etag = headers.get('etag');
    if (etag !== null) result.etag = etag;
    return result;
  }
'''

TYPES = {'string': 'string', 'uuid': 'string', 'time': 'string', 'int': 'number', 'bool': 'boolean', 'raw': 'unknown'}
OWN_NAMES = {'body', 'signal', 'ifMatch', 'idempotencyKey'}


def quoted(text):
    return "'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"


def comment(text, indent=''):
    text = ' '.join(text.replace('*/', '* /').split())
    if not text:
        return ''
    if len(text) + len(indent) + 7 <= 120:
        return f'{indent}/** {text} */\n'
    lines = textwrap.wrap(text, 120 - len(indent) - 3)
    return f'{indent}/**\n' + ''.join(f'{indent} * {line}\n' for line in lines) + f'{indent} */\n'


def type_of(field):
    if field.schema and field.type == 'object':
        text = field.schema.name
    elif field.type == 'array':
        item = type_of(field.item)
        text = f'({item})[]' if '|' in item else f'{item}[]'
    elif field.alias:
        text = field.alias
    elif field.words:
        text = ' | '.join(quoted(word) for word in field.words)
    else:
        text = TYPES[field.type]
    return f'{text} | null' if field.nullable else text


def interface(schema):
    lines = [comment(schema.description), f'export interface {schema.name} {{\n']
    for field in schema.fields:
        lines.append(comment(field.description, '  '))
        lines.append(f'  {field.name}{"" if field.required else "?"}: {type_of(field)};\n')
    return ''.join(lines) + '}\n\n'


def aliases(document):
    """Component schemas that are no objects: names for strings, enums, lists."""
    for name, node in document.components('schemas').items():
        if name not in document.schemas:
            field = document.field(node, name, node.where(), required=True)
            yield f'{comment(field.description)}export type {name} = {type_of(field)};\n\n'


def arguments(operation):
    """(name, optional, type, description) of each member of the argument object."""
    for field in operation.fields:
        name = camel(field.name) if field.place == 'header' else field.name
        if name in OWN_NAMES:
            raise Mistake(field.where, f'the parameter {field.name} cannot be named so in TypeScript')
        yield name, not field.required, type_of(field), field.description
    if operation.body:
        yield 'body', False, operation.body.name, ''
    if operation.takes_key:
        yield 'idempotencyKey', True, 'string', ''
    if operation.takes_match:
        yield 'ifMatch', not operation.needs_match, 'string', ''
    yield 'signal', True, 'AbortSignal', ''


def headers(operation):
    named = [(camel(field.name), field.name) for field in operation.fields if field.place == 'header']
    if operation.takes_key:
        named.append(('idempotencyKey', 'Idempotency-Key'))
    if operation.takes_match:
        named.append(('ifMatch', 'If-Match'))
    return named


def method(operation):
    members = list(arguments(operation))
    one_line = '{ ' + '; '.join(f'{name}{"?" if optional else ""}: {kind}' for name, optional, kind, _ in members) + ' }'
    preset = ' = {}' if all(optional for _, optional, _, _ in members) else ''
    result = operation.result.name if operation.result else 'string' if operation.result_type else 'void'
    head = f'  async {camel(operation.name)}(p: {one_line}{preset}): Promise<Result<{result}>> {{\n'
    if len(head) > 121:
        listed = ''.join(f'    {name}{"?" if optional else ""}: {kind};\n' for name, optional, kind, _ in members)
        head = f'  async {camel(operation.name)}(p: {{\n{listed}  }}{preset}): Promise<Result<{result}>> {{\n'
    path = quoted(operation.path)
    if '{' in operation.path:
        filled = operation.path
        for field in operation.fields:
            if field.place == 'path':
                filled = filled.replace('{' + field.name + '}', '${encodeURIComponent(p.' + field.name + ')}')
        path = f'`{filled}`'
    lines = ['\n', comment(f'{operation.summary} {operation.description}', '  '), head]
    lines.append('    const options: RequestOptions = {};\n')
    query = [field.name for field in operation.fields if field.place == 'query']
    if query:
        lines.append('    options.query = { ' + ', '.join(f'{name}: p.{name}' for name in query) + ' };\n')
    if operation.body:
        lines.append('    options.body = p.body;\n')
    if headers(operation):
        lines.append('    options.headers = {};\n')
    for name, header in headers(operation):
        lines.append(f'    if (p.{name} !== undefined) options.headers[{quoted(header)}] = String(p.{name});\n')
    lines.append('    if (p.signal) options.signal = p.signal;\n')
    lines.append(f'    return this.call<{result}>({quoted(operation.method.upper())}, {path}, options);\n  }}\n')
    return ''.join(lines)


def client(documents):
    parts, seen = [HEAD], {}
    for document in documents:
        for schema in document.schemas.values():
            if schema.internal:
                continue
            if schema.name in seen:
                raise Mistake(schema.where, f'the schema {schema.name} is at {seen[schema.name]} too')
            seen[schema.name] = schema.where
            parts.append(interface(schema))
        parts += aliases(document)
    operations = [one for document in documents for one in document.operations]
    parts.append(CLASS_HEAD)
    parts += [method(one) for one in operations if not one.stream]
    parts.append('}\n\n/** Every operation by its id, streams too. */\nexport const operations = {\n')
    parts += [f'  {one.name}: {{ method: {quoted(one.method.upper())}, path: {quoted(one.path)} }},\n' for one in operations]
    parts.append('} as const;\n\nexport type OperationId = keyof typeof operations;\n\n')
    codes = [code for document in documents for code in document.problems]
    parts.append('/** The codes of all problems that the server knows. */\n')
    parts.append('export const problemCodes = ' + json.dumps(codes).replace('"', "'") + ' as const;\n')
    return ''.join(parts)
