#!/usr/bin/python3
"""Tests of the generators: what they make of good input, and that each mistake is told with its file and line."""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TOOLS)

HEAD = '''openapi: 3.1.0
info: { title: Test, version: 0.1.0 }
x-problems:
  closed: { status: 409, title: It is closed. }
'''
DOCUMENT = HEAD + '''paths:
  /api/v1/things/{thing}:
    get:
      operationId: read_thing
      summary: A thing.
      security: [{}, { member: [] }]
      parameters:
        - { $ref: '#/components/parameters/Thing' }
        - { name: sort, in: query, schema: { type: string, enum: [new, old], default: new } }
        - { name: Last-Event-ID, in: header, schema: { type: string, maxLength: 9 } }
      responses:
        '200': { description: It., content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
    patch:
      operationId: change_thing
      summary: Change it.
      security: [{ member: [moderator] }]
      x-if-match: required
      x-tier: verified
      x-limit: { count: 5, per_s: 60 }
      x-body-max: 4096
      x-timeout-ms: 2500
      x-problems: [closed, busy]
      parameters: [{ $ref: '#/components/parameters/Thing' }, { $ref: '#/components/parameters/IfMatch' }, { $ref: '#/components/parameters/IdempotencyKey' }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/ThingChange' } } } }
      responses:
        '204': { description: Done. }
components:
  parameters:
    Thing: { name: thing, in: path, required: true, schema: { type: string, format: uuid } }
  schemas:
    Kind: { type: string, enum: [small, very-large] }
    Thing:
      type: object
      description: A thing.
      required: [id, part, kinds]
      additionalProperties: false
      properties:
        id: { type: string, format: uuid }
        part: { $ref: '#/components/schemas/Part' }
        spare: { $ref: '#/components/schemas/Part' }
        perhaps: { anyOf: [{ $ref: '#/components/schemas/Part' }, { type: 'null' }] }
        kinds: { type: array, items: { $ref: '#/components/schemas/Kind' } }
        names: { type: array, maxItems: 3, items: { type: string, maxLength: 5 } }
        count: { type: [integer, 'null'], minimum: 0 }
        anything: { x-raw: true }
        parent: { $ref: '#/components/schemas/Thing' }
    Part:
      type: object
      required: [name]
      additionalProperties: false
      properties:
        name: { type: string, x-characters: 'a-z0-9-' }
        note: { type: string, x-visible: true }
    ThingChange:
      type: object
      additionalProperties: false
      minProperties: 1
      x-patch: true
      properties:
        title: { type: string, minLength: 1, maxLength: 10, default: 'a "b" ??=' }
        at: { type: string, format: date-time }
    ThingEntry:
      type: object
      x-internal: true
      required: [id]
      properties:
        id: { type: string, format: uuid }
'''

QUERIES = '''-- What this file has.

-- name: thing_by_name :optional slow
-- A thing, with its
-- parts.
-- in: name text, kind int?
-- out: id uuid, at time?,
-- out: count int?, open bool
SELECT id, at, count, open -- $nothing here
  FROM thing WHERE name = $name AND ($kind IS NULL OR kind = $kind) AND note <> 'it''s $5; --';

-- name: things :many
-- The things.
-- in: before uuid, limit int
-- out: as thing_by_name
SELECT id, at, count, open FROM thing WHERE id < $before LIMIT $limit;

-- name: thing_add :affected
-- Adds.
-- in: a text, b text, c text, d text, e bytes
-- sqlite:
INSERT INTO thing VALUES ($e, $a, $b, $c, $d);
-- postgres:
INSERT INTO thing VALUES ($e::bytea, $a, $b, $c, $d);

-- name: things_add :none each
-- Adds many.
-- in: as thing_add
-- sqlite:
INSERT INTO thing VALUES ($e, $a, $b, $c, $d);
-- postgres:
INSERT INTO thing SELECT * FROM unnest($e, $a, $b, $c, $d);

-- name: things_of :many each
-- Finds many.
-- in: id uuid
-- out: as thing_by_name
-- bounded: as many as there are ids
-- sqlite:
SELECT id, at, count, open FROM thing WHERE id = $id;
-- postgres:
SELECT id, at, count, open FROM unnest($id) AS wanted (id) JOIN thing USING (id);

-- name: thing_move :one
-- Moves.
-- out: id uuid
WITH gone AS (DELETE FROM thing RETURNING id) SELECT id FROM gone;

-- name: counted :one
-- Counts.
-- out: n int
WITH one AS (SELECT 1) SELECT count(*) FROM one;
'''


class GeneratorTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        with open(os.path.join(ROOT, 'openapi', 'core.yaml'), encoding='utf-8') as stream:
            self.write('core.yaml', stream.read())

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as stream:
            stream.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding='utf-8') as stream:
            return stream.read()

    def generate(self, tool, *arguments):
        """(exit status, what it said) of a generator."""
        result = subprocess.run([sys.executable, '-B', os.path.join(TOOLS, tool), *arguments], capture_output=True, text=True,
                                check=False, cwd=self.folder.name)
        return result.returncode, result.stderr

    def made(self, tool, *arguments):
        status, said = self.generate(tool, *arguments)
        self.assertEqual((status, said), (0, ''))

    def compiled(self, source):
        result = subprocess.run(['cc', '-std=gnu17', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-Wmissing-prototypes', '-Wshadow',
                                 f'-I{ROOT}', f'-I{self.folder.name}', source], capture_output=True, text=True, check=False)
        self.assertEqual(result.stderr, '')


class ApiTest(GeneratorTest):
    def document(self, old='', new='', text=DOCUMENT):
        self.assertIn(old, text)
        return self.write('things.yaml', text.replace(old, new, 1))

    def refused(self, old, new, message):
        """The document with one change is refused with the message, at the line of the change."""
        before = DOCUMENT[:DOCUMENT.index(old)]
        line = before.count('\n') + 1
        status, said = self.generate('generate_api.py', '--c', self.path('out'), self.document(old, new))
        self.assertEqual(status, 1, f'{new} was taken')
        file, at, text = re.fullmatch(r'(.*):(\d+): (.*)\n', said).groups()
        self.assertEqual(os.path.basename(file), 'things.yaml')
        self.assertIn(message, text)
        self.assertEqual(int(at), line, said)

    def test_c_compiles(self):
        self.document()
        self.made('generate_api.py', '--c', self.path('core'), self.path('core.yaml'))
        self.made('generate_api.py', '--c', self.path('out'), self.path('things.yaml'))
        self.compiled(self.path('core/api.c'))
        self.compiled(self.path('out/api.c'))

    def test_c_says_what_the_document_says(self):
        self.made('generate_api.py', '--c', self.path('out'), self.document())
        header, source = self.read('out/api.h'), self.read('out/api.c')
        for text in ('extern const problem_kind_t CLOSED;', 'THING_KINDS_VERY_LARGE', 'READ_THING_SORT_NEW = 1',
                     'struct part part;', 'struct part *spare;', 'struct part *perhaps;', 'struct thing *parent;',
                     'bool has_count;', 'bool has_title;', 'bool has_at;', 'str_t anything;', 'str_t last_event_id;',
                     'struct thing_change body;', 'reply_t change_thing(req_t *req, const struct change_thing_request *in);'):
            self.assertIn(text, header)
        self.assertLess(header.index('struct part {'), header.index('struct thing {'))
        packed = ' '.join(source.split())
        for text in ('.roles = ROLE_MODERATOR', '.tier = TIER_VERIFIED', '.access = ACCESS_READER', '.needs_match = true',
                     '.limit_count = 5, .limit_seconds = 60', '.body_max = 4096', '.timeout_us = 2500 * MILLISECOND_US',
                     '.least_fields = 1', '.open = true', '.item_most = 5', '.pattern = "a-z0-9-"', '.visible = true', r'.preset_text = "a \"b\" \?\?="'):
            self.assertIn(text, packed)

    def test_the_public_document_has_problems_and_nothing_internal(self):
        self.made('generate_api.py', '--merge', self.path('all.json'), self.document())
        merged = json.loads(self.read('all.json'))
        self.assertEqual(re.findall(r'"x-[a-z-]+":', self.read('all.json')), [])
        self.assertNotIn('ThingEntry', merged['components']['schemas'])
        self.assertIn('Problem', merged['components']['schemas'])
        responses = merged['paths']['/api/v1/things/{thing}']['patch']['responses']
        self.assertEqual(list(responses), ['204', '401', '403', '409', '412', '428', '503', 'default'])
        self.assertEqual(responses['409']['description'], 'closed: It is closed.')
        self.assertEqual(list(merged['paths']['/api/v1/things/{thing}']['get']['responses']), ['200', '401', 'default'])
        required = {node['name']: node['required'] for node in merged['paths']['/api/v1/things/{thing}']['patch']['parameters'] if 'name' in node}
        self.assertEqual(required, {'If-Match': True})
        self.assertEqual(merged['components']['schemas']['Part']['properties']['name']['pattern'], '^[a-z0-9-]*$')
        self.assertEqual(merged['components']['schemas']['Part']['properties']['note'], {'type': 'string', 'pattern': r'\S'})

    def test_the_typescript_client(self):
        self.made('generate_api.py', '--typescript', self.path('api.ts'), self.document())
        text = self.read('api.ts')
        for part in ("export type Kind = 'small' | 'very-large';", 'kinds: Kind[];', 'perhaps?: Part | null;', 'count?: number | null;',
                     'async changeThing(p: {', 'ifMatch: string;', 'idempotencyKey?: string;', 'Promise<Result<void>>',
                     '`/api/v1/things/${encodeURIComponent(p.thing)}`', "read_thing: { method: 'GET', path: '/api/v1/things/{thing}' },"):
            self.assertIn(part, text)
        self.assertNotIn('ThingEntry', text)

    def test_mistakes_in_schemas(self):
        for old, new, message in (
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: string, with what: x }', 'does not know the keyword'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: number }', 'must be one of string'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: string, format: email }', 'must be uuid'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: string, maxLength: x }', 'must be a whole number'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: string, minLength: 5, maxLength: 3 }', 'at most maxLength'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: string, x-characters: "[^a]" }', 'ranges and characters'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { type: object, properties: {} }', 'give the object name a name'),
                ("spare: { $ref: '#/components/schemas/Part' }", "Spare: { $ref: '#/components/schemas/Part' }", 'lower_case_words'),
                ("name: { type: string, x-characters: 'a-z0-9-' }", 'name: { $ref: "#/components/schemas/No" }', 'names nothing'),
                ('kinds: { type: array, items:', 'kinds: { type: array, item:', 'does not know the keyword item'),
                ('names: { type: array, maxItems: 3, items: { type: string, maxLength: 5 } }',
                 'names: { type: array, items: { type: array, items: { type: string } } }', 'must be strings'),
                ("spare: { $ref: '#/components/schemas/Part' }", "spare: { $ref: '#/components/schemas/ThingEntry' }", 'internal'),
                ('names: { type: array, maxItems: 3, items: { type: string, maxLength: 5 } }', 'default: { type: string }', 'a word of C'),
                ("title: { type: string, minLength: 1, maxLength: 10, default: 'a \"b\" ??=' }", 'title: { type: string, minLength: 1 }',
                 'needs maxLength'),
                ("title: { type: string, minLength: 1, maxLength: 10, default: 'a \"b\" ??=' }", 'title: { type: string, maxLength: 9, default: 5 }',
                 'wrong type'),
                ('at: { type: string, format: date-time }', "at: { type: array, items: { type: string, format: uuid } }", 'needs maxItems'),
                ('at: { type: string, format: date-time }', "at: { type: [integer, 'null'] }", 'cannot be null'),
                ('required: [name]', 'required: [title]', 'no such property'),
                ('Kind: { type: string, enum: [small, very-large] }', 'Kind: { type: string, enum: [small, small] }', 'twice'),
                ('Kind: { type: string, enum: [small, very-large] }', 'Kind: { type: string, enum: [no, yes] }', 'must be a word')):
            with self.subTest(new=new):
                self.refused(old, new, message)

    def test_an_object_must_refuse_what_it_does_not_know(self):
        old = '      required: [name]\n      additionalProperties: false\n'
        status, said = self.generate('generate_api.py', '--c', self.path('out'), self.document(old, '      required: [name]\n'))
        self.assertEqual(status, 1)
        line = DOCUMENT[:DOCUMENT.index('    Part:\n')].count('\n') + 1
        self.assertIn(f'things.yaml:{line}: the schema Part needs additionalProperties: false', said)

    def test_a_schema_cannot_contain_itself(self):
        document = self.document('required: [id, part, kinds]', 'required: [id, part, kinds, parent]')
        self.assertIn('contains itself', self.generate('generate_api.py', '--c', self.path('out'), document)[1])

    def test_mistakes_in_operations(self):
        for old, new, message in (
                ('operationId: change_thing', 'operationId: read_thing', 'is taken by GET'),
                ('operationId: change_thing', 'operationId: changeThing', 'lower_case_words'),
                ('patch:\n      operationId: change_thing\n', 'patch:\n', 'lacks operationId'),
                ('patch:\n      operationId: change_thing\n      summary: Change it.\n', 'patch:\n      operationId: change_thing\n',
                 'lacks summary'),
                ('security: [{ member: [moderator] }]', 'security: [{ member: [king] }]', 'no role king'),
                ('security: [{ member: [moderator] }]', 'security: [{ key: [] }]', 'security of change_thing'),
                ('x-tier: verified', 'x-tier: high', 'x-tier'), ('x-tier: verified', 'x-teir: verified', 'does not know the keyword'),
                ('x-limit: { count: 5, per_s: 60 }', 'x-limit: { count: 0, per_s: 60 }', 'above 0'),
                ('x-problems: [closed, busy]', 'x-problems: [shut]', 'no problem shut'),
                ('/api/v1/things/{thing}:', '/api/v1/things/:', 'must be made of'),
                ('/api/v1/things/{thing}:', '/things/{thing}:', 'must begin with /api/v1/'),
                ("get:\n      operationId: read_thing\n      summary: A thing.\n      security: [{}, { member: [] }]\n"
                 "      parameters:\n        - { $ref: '#/components/parameters/Thing' }\n",
                 "get:\n      operationId: read_thing\n      summary: A thing.\n      security: [{}, { member: [] }]\n      parameters:\n",
                 'has {thing}'),
                ('- { name: sort, in: query, schema: { type: string, enum: [new, old], default: new } }',
                 '- { name: sort, in: query, schema: { type: string } }', 'needs maxLength'),
                ('- { name: sort, in: query, schema: { type: string, enum: [new, old], default: new } }',
                 '- { name: sort, in: path, required: true, schema: { type: string, maxLength: 3 } }', 'its path does not'),
                ('- { name: sort, in: query, schema: { type: string, enum: [new, old], default: new } }',
                 '- { name: sort, in: query, schema: { type: string, enum: [new, old], default: no one } }', 'none of its values'),
                ('- { name: sort, in: query, schema: { type: string, enum: [new, old], default: new } }',
                 '- { name: sort, in: cookie, schema: { type: string } }', 'path, query or header'),
                ("requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/ThingChange' } } } }",
                 "requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Kind' } } } }",
                 'must be a $ref to an object'),
                ("'204': { description: Done. }", "'200': { description: Done. }", 'must have content'),
                ("'204': { description: Done. }", "204: { description: Done. }", 'in quotes'),
                ("'204': { description: Done. }", "'404': { description: None. }", 'problems come from x-problems')):
            with self.subTest(new=new):
                self.refused(old, new, message)

    def test_a_post_can_be_repeated(self):
        whole = DOCUMENT[DOCUMENT.index('patch:'):DOCUMENT.index('      requestBody')]
        key = ", { $ref: '#/components/parameters/IdempotencyKey' }"
        self.assertIn(key, whole)
        self.refused(whole, whole.replace('patch:', 'post:').replace(key, ''), 'needs the parameter IdempotencyKey')

    def test_mistakes_of_the_whole(self):
        self.refused('openapi: 3.1.0', 'openapi: 3.0.0', '3.1')
        self.refused('closed: { status: 409, title: It is closed. }', 'closed: { status: 200, title: It is closed. }', '400 to 599')
        self.refused('closed: { status: 409, title: It is closed. }', 'busy: { status: 409, title: It is closed. }', 'already')
        status, said = self.generate('generate_api.py', '--c', self.path('out'), self.path('missing.yaml'))
        self.assertEqual(status, 1)
        self.assertIn('missing.yaml', said)

    def test_what_is_no_yaml_is_told_with_its_line(self):
        document = self.write('things.yaml', 'openapi: 3.1.0\ninfo: { title: x\npaths: {}\n')
        self.assertRegex(self.generate('generate_api.py', '--c', self.path('out'), document)[1], r'things\.yaml:\d+: not YAML: ')
        document = self.write('things.yaml', 'openapi: 3.1.0\ninfo: {}\ninfo: {}\n')
        self.assertIn('things.yaml:3: info is there twice', self.generate('generate_api.py', '--c', self.path('out'), document)[1])


class QueriesTest(GeneratorTest):
    def generated(self, text):
        return self.generate('generate_queries.py', '--name', 'things', '--out', self.path('out'), self.write('queries.sql', text))

    def test_c_compiles_and_says_what_the_file_says(self):
        self.assertEqual(self.generated(QUERIES), (0, ''))
        self.made('generate_api.py', '--c', self.path('core'), self.path('core.yaml'))
        self.compiled(self.path('out/queries.c'))
        header, source = self.read('out/queries.h'), self.read('out/queries.c')
        for text in ('bool thing_by_name(tx_t *tx, const struct thing_by_name_in *in, struct thing_by_name *row)', 'bool has_count;',
                     'size_t things(tx_t *tx, uuid_t before, int64_t limit, struct thing_by_name **rows)',
                     'int64_t thing_add(tx_t *tx, const struct thing_add_in *in)',
                     'void things_add(tx_t *tx, const struct thing_add_in *in, size_t count)',
                     'size_t things_of(tx_t *tx, const struct things_of_in *in, size_t count,', ' * A thing, with its\n * parts.\n'):
            self.assertIn(text, header)
        self.assertIn("name = ?1 AND (?2 IS NULL OR kind = ?2) AND note <> 'it''s $5; --'", source)
        self.assertIn('VALUES (?5, ?1, ?2, ?3, ?4)', source)
        self.assertIn('VALUES ($5::bytea, $1, $2, $3, $4)', source)
        self.assertIn('.in_size = sizeof(struct thing_add_in)', source)
        self.assertEqual(source.count('.each = true'), 2)
        self.assertNotIn('struct things_add_in', header)
        self.assertNotIn('nothing', source)

    def test_only_what_reads_does_not_write(self):
        self.generated(QUERIES)
        entries = self.read('out/queries.c').split('.name = "things.')[1:]
        writes = {entry.split('"')[0]: '.writes = true' in entry for entry in entries}
        self.assertEqual(writes, {'thing_by_name': False, 'things': False, 'thing_add': True, 'things_add': True, 'things_of': False,
                                  'thing_move': True, 'counted': False})
        self.assertIn('.slow = true', entries[0])

    def test_mistakes(self):
        good = '-- name: a :many\n-- Doc.\n-- in: x int\n-- out: y int\nSELECT y FROM t WHERE x = $x LIMIT 5;\n'
        self.assertEqual(self.generated(good), (0, ''))
        for old, new, line, message in (
                ('$x', '$z', 5, '$z is not declared'), ('= $x', '= 1', 1, 'x is declared'), ('x int', 'x integer', 3, 'no type integer'),
                ('LIMIT 5', '', 1, 'without LIMIT'), ('-- Doc.\n', '', 1, 'lacks its doc comment'), (':many', ':all', 1, 'no shape :all'),
                (':many', 'many', 1, 'must be `-- name:'), ('-- out: y int\n', '', 1, 'must have `-- out:`'), (':many', ':none', 1, 'must not have'),
                ('x int', 'x int, x int', 3, 'x is there twice'), ('x int', 'int', 3, 'must be `<name> <type>`'), ('5;', '5', 5, 'semicolon'),
                ('5;', "5; SELECT 1;", 5, 'more than one'), ('5;', "'5;", 5, 'never closed'), ('= $x', '= $1', 5, 'begins the name'),
                ('-- name', 'SELECT 1;\n-- name', 1, 'before the first'), ('SELECT', '-- sqlite:\nSELECT', 1, 'no SQL for postgres'),
                ('LIMIT 5;\n', 'LIMIT 5;\n' + good.split('\n', 1)[0], 6, 'taken at line 1'), ('y int', 'as b', 4, 'no statement b'),
                ('x int', 'tx int', 3, 'cannot be named so'), ('x int', 'as b', 3, 'no statement b with `-- in:`'),
                (':many', ':many each', 1, 'SQL for each of the databases'), (':many', ':one each', 1, 'must be :none or :many'),
                (':many', ':many slow each', 1, 'must be `-- name:')):
            with self.subTest(new=new):
                status, said = self.generated(good.replace(old, new, 1))
                self.assertEqual(status, 1, f'{new} was taken')
                self.assertIn(f'queries.sql:{line}: ', said)
                self.assertIn(message, said)
        self.assertEqual(self.generated(good.replace('LIMIT 5', '').replace('SELECT', '-- bounded: few\nSELECT')), (0, ''))

    def test_fragments_stand_once_and_are_used_by_name(self):
        fragments = '-- fragment: columns\n-- What all show.\ny,\n  z\n\n-- fragment: found\nFROM t\nWHERE x = $x\n\n'
        good = fragments + ('-- name: a :many\n-- Doc.\n-- in: x int\n-- out: y int, z int\nSELECT $$columns $$found LIMIT 5;\n\n'
                            '-- name: b :optional\n-- Doc.\n-- in: w int, x int\n-- out: as a\n-- sqlite:\nSELECT $$columns $$found AND w = $w;\n'
                            '-- postgres:\nSELECT $$columns $$found\n   AND w > $w;\n')
        self.assertEqual(self.generated(good), (0, ''))
        statements = [' '.join(re.sub(r'\\n"|"', ' ', text).split()) for text in
                      re.findall(r'\.(?:sqlite|postgres) =\n(.*?),\n(?=     \.)', self.read('out/queries.c'), re.DOTALL)]
        self.assertEqual(statements, ['SELECT y, z FROM t WHERE x = ?1 LIMIT 5', 'SELECT y, z FROM t WHERE x = $1 LIMIT 5',
                                      'SELECT y, z FROM t WHERE x = ?2 AND w = ?1', 'SELECT y, z FROM t WHERE x = $2 AND w > $1'])
        for old, new, line, message in (
                ('$$columns', '$$colums', 14, 'no fragment colums'), ('WHERE x = $x', 'WHERE x = $v', 8, '$v is not declared in `-- in:` of a'),
                ('WHERE x = $x', "WHERE x = '", 8, 'never closed'), ('y,\n  z\n', '', 1, 'the fragment columns is empty'),
                ('fragment: found', 'fragment: columns', 6, 'the fragment columns is there at line 1'),
                ('fragment: found', 'fragment: Found', 6, 'lower_case_name'), ('-- What all show.', '-- in: q int', 2, 'is for statements'),
                ('-- fragment: found', '-- fragment: idle\nq\n\n-- fragment: found', 6, 'nothing uses the fragment idle'),
                ('WHERE x = $x', 'WHERE x = $x;', 14, 'more than one'), ('$$columns', '$$', 14, 'begins the name')):
            with self.subTest(new=new):
                status, said = self.generated(good.replace(old, new, 1))
                self.assertEqual(status, 1, f'{new} was taken')
                self.assertIn(f'queries.sql:{line}: ', said)
                self.assertIn(message, said)

    def test_a_file_without_statements(self):
        self.assertIn('there is no statement', self.generated('-- Nothing.\n')[1])


class MigrationsTest(GeneratorTest):
    def generated(self, files):
        paths = [self.write(name, text) for name, text in files.items()]
        return self.generate('generate_migrations.py', '--name', 'things', '--out', self.path('out'), *paths)

    def test_each_dialect_gets_its_lines(self):
        first = 'CREATE TABLE a (\n-- only: sqlite\n    b BLOB\n-- only: postgres\n    b bytea\n-- only: both\n);\n'
        self.assertEqual(self.generated({'0002_add_b.sql': 'SELECT "x\\y";\n', '0001_create_a.sql': first}), (0, ''))
        self.made('generate_api.py', '--c', self.path('core'), self.path('core.yaml'))
        self.compiled(self.path('out/migrations.c'))
        source = self.read('out/migrations.c')
        sqlite, postgres = source.split('.postgres =')[:2]
        self.assertIn('BLOB', sqlite)
        self.assertNotIn('bytea', sqlite)
        self.assertIn('bytea', postgres.split('.sqlite =')[0])
        self.assertIn(hashlib.blake2b(first.encode(), digest_size=16).hexdigest(), source)
        self.assertIn('SELECT \\"x\\\\y\\";', source)
        self.assertIn('things_migration_count = 2;', source)

    def test_no_migrations_are_an_empty_table(self):
        self.assertEqual(self.generated({}), (0, ''))
        self.assertIn('things_migration_count = 0;', self.read('out/migrations.c'))

    def test_mistakes(self):
        good = 'SELECT 1;\n'
        for files, message in (
                ({'0002_create_a.sql': good}, '0002_create_a.sql:1: the number 0002 should be 0001'),
                ({'0001_create_a.sql': good, '0003_create_b.sql': good}, 'should be 0002'),
                ({'0001_create_a.sql': good, '0001_create_b.sql': good}, 'the number 0001 should be 0002'),
                ({'1_create.sql': good}, 'is named like'), ({'0001_create.sql': good}, 'is named like'),
                ({'0001_create_a.sql': '-- only: mysql\n' + good}, '0001_create_a.sql:1: `-- only: mysql`'),
                ({'0001_create_a.sql': good + '-- only: sqlite\n' + good}, 'never ended'),
                ({'0001_create_a.sql': '-- only: sqlite\n' + good + '-- only: both\n'}, 'no statement for postgres'),
                ({'0001_create_a.sql': 'SELECT 1\n'}, 'semicolon')):
            with self.subTest(files=files):
                status, said = self.generated(files)
                self.assertEqual(status, 1)
                self.assertIn(message, said)


if __name__ == '__main__':
    unittest.main()
