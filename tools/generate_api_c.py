"""Writes api.h and api.c: problems, structs, schema tables, operation tables and the document itself."""
import json
import textwrap

from generate_api_json import public_document
from generate_api_model import INT64_MAX, INT64_MIN, snake

WIDTH = 110
C_TYPES = {'string': 'str_t', 'uuid': 'uuid_t', 'time': 'int64_t', 'enum': 'int', 'int': 'int64_t', 'bool': 'bool', 'raw': 'str_t'}
ACCESS = {'anyone': 'ACCESS_ANYONE', 'reader': 'ACCESS_READER', 'member': 'ACCESS_MEMBER'}


def comment(text, indent=''):
    """A block comment that fits the width; nothing for no text."""
    text = ' '.join(text.replace('*/', '* /').replace('/*', '/ *').split())
    if not text:
        return ''
    if len(indent) + len(text) + 6 <= WIDTH:
        return f'{indent}/* {text} */\n'
    lines = textwrap.wrap(text, WIDTH - len(indent) - 3)
    return f'{indent}/*\n' + ''.join(f'{indent} * {line}\n' for line in lines) + f'{indent} */\n'


def text_literal(text):
    return '"' + ''.join(_escaped(byte) for byte in text.encode()) + '"'


def _escaped(byte):
    character = chr(byte)
    if character in '"\\':
        return '\\' + character
    if character == '?':
        return '\\?'  # never a trigraph
    return character if 32 <= byte < 127 else f'\\{byte:03o}'


def packed(parts, indent, opening='{', closing='},'):
    """An initialiser, packed into as few lines as fit."""
    lines, line = [], indent + opening
    for index, part in enumerate(parts):
        piece = part + (',' if index < len(parts) - 1 else closing)
        if len(line) + len(piece) + 1 > WIDTH and line.strip() != opening:
            lines.append(line.rstrip())
            line = indent + ' ' * len(opening)
        line += piece + ' '
    lines.append(line.rstrip())
    return '\n'.join(lines) + '\n'


def number(value):
    if value == INT64_MIN:
        return 'INT64_MIN'
    if value == INT64_MAX:
        return 'INT64_MAX'
    return str(value) if -2**31 < value < 2**31 else f'INT64_C({value})'


class Writer:
    """The two files of one document."""

    def __init__(self, document):
        self.document, self.name = document, document.name
        self.core = document.core is None
        self.header, self.source = [], []

    def files(self):
        self._open()
        self._problems()
        self._enums()
        self._structs()
        self._schema_tables()
        if not self.core:
            self._operations()
        self._openapi()
        self.header.append('#endif\n')
        return ''.join(self.header), ''.join(self.source).rstrip('\n') + '\n'

    def _open(self):
        guard = f'FOLKMOOT_{self.name.upper()}_API_H'
        origin = f'/* Made from openapi/{self.name}.yaml by tools/generate_api.py: change it there. */\n'
        own = '"core/api.h"' if self.core else '"api.h"'
        includes = ['"core/http/schema.h"', '"core/runtime/problem.h"'] if self.core else \
            ['"core/api.h"', '"core/http/operation.h"']
        self.header.append(f'{origin}#ifndef {guard}\n#define {guard}\n\n')
        self.header.append(''.join(f'#include {one}\n' for one in includes) + '\n')
        self.source.append(f'{origin}#include {own}\n\n')

    def _problems(self):
        for problem in self.document.problems.values():
            constant = problem.code.upper()
            self.header.append(f'extern const problem_kind_t {constant}; /* {problem.status}: {problem.title} */\n')
            self.source.append(f'const problem_kind_t {constant} = {{\n    .code = "{problem.code}", '
                               f'.status = {problem.status}, .title = {text_literal(problem.title)}}};\n')
        if self.document.problems:
            self.header.append('\n')
            self.source.append('\n')

    def _enums(self):
        for owner, fields in self.document.enum_owners():
            for field in fields:
                if not field.words:
                    continue
                name = f'{owner}_{field.c_name}'
                constants = [f'{name}_{snake(word)}'.upper() for word in field.words]
                self.header.append(packed([f'{constants[0]} = 1', *constants[1:]], '', f'enum {name} {{', '};') + '\n')
                words = ', '.join([*(f'"{word}"' for word in field.words), 'NULL'])
                self.source.append(f'static const char *const {name}_words[] = {{{words}}};\n')
        self.source.append('\n')

    def _structs(self):
        done = set()
        for schema in self.document.schemas.values():
            self._struct(schema, done)

    def _struct(self, schema, done):
        """The schema's struct, after those that it contains."""
        if schema.name in done or (schema.core and not self.core):
            return
        done.add(schema.name)
        for field in schema.fields:
            if field.type == 'object' and not field.by_pointer:
                self._struct(field.schema, done)
        self.header.append(comment(schema.description) + f'struct {schema.c_name} {{\n')
        self.header += [self._member(field) for field in schema.fields]
        self.header.append(f'}};\nextern const schema_t {schema.c_name}_schema;\n\n')

    def _member(self, field):
        note = field.description
        if field.words or (field.item and field.item.words):
            words = ', '.join(field.words)
            note = f'{words}. {note}' if note else words
        if field.type == 'object':
            kind = f'struct {field.schema.c_name} {"*" if field.by_pointer else ""}'
        elif field.type == 'array':
            item = f'struct {field.schema.c_name}' if field.schema else C_TYPES[field.item.type]
            kind = f'struct {{\n        {item} *items;\n        size_t count;\n    }} '
        else:
            kind = C_TYPES[field.type] + ' '
        has = f'    bool has_{field.c_name};\n' if field.has else ''
        line = f'    {kind}{field.c_name};'
        note = ' '.join(note.split())
        if note and field.type != 'array' and len(line) + len(note) + 7 <= WIDTH:
            return f'{line} /* {note} */\n{has}'
        return f'{comment(note, "    ")}{line}\n{has}'

    def _schema_tables(self):
        for schema in self.document.schemas.values():
            extra = [f'.least_fields = {schema.least_fields}'] if schema.least_fields else []
            extra += ['.open = true'] if schema.open else []
            self._table(schema.c_name, schema.c_name, schema.name, schema.fields, extra, 'const')

    def _table(self, owner, struct, name, fields, extra, linkage):
        fields_name = f'{struct}_fields' if fields else 'NULL'
        if fields:
            self.source.append(f'static const field_t {fields_name}[] = {{\n')
            self.source += [packed(self._field(owner, struct, field), '    ') for field in fields]
            self.source.append('};\n\n')
        parts = [f'.name = "{name}"', f'.size = sizeof(struct {struct})', f'.fields = {fields_name}',
                 f'.field_count = {len(fields)}', *extra]
        self.source.append(packed(parts, '', f'{linkage} schema_t {struct}_schema = {{', '};') + '\n')

    def _field(self, owner, struct, field):
        offset = f'offsetof(struct {struct}, {field.c_name})'
        parts = [f'.name = "{field.name}"', f'.type = FIELD_{field.type.upper()}', f'.offset = {offset}']
        parts.append(f'.has_offset = offsetof(struct {struct}, has_{field.c_name})' if field.has else '.has_offset = NO_HAS')
        if field.type == 'array':
            parts.append(f'.item_type = FIELD_{field.item.type.upper()}')
            parts += self._bounds('item_', field.item)
        if field.place != 'body':
            parts.append(f'.place = IN_{field.place.upper()}')
        parts += [f'.{name} = true' for name in ('required', 'nullable', 'visible', 'by_pointer') if getattr(field, name)]
        parts += self._bounds('', field)
        parts += self._preset(field)
        if field.words:
            parts.append(f'.words = {owner}_{field.c_name}_words')
        if field.pattern is not None:
            parts.append(f'.pattern = "{field.pattern}"')
        if field.schema:
            parts.append(f'.schema = &{field.schema.c_name}_schema')
        return parts

    @staticmethod
    def _bounds(prefix, field):
        if field.type not in ('string', 'int', 'array'):
            return []
        lowest = INT64_MIN if field.type == 'int' else 0
        least = lowest if field.least is None else field.least
        most = INT64_MAX if field.most is None else field.most
        return [f'.{prefix}least = {number(least)}'] * (least != 0) + [f'.{prefix}most = {number(most)}']

    @staticmethod
    def _preset(field):
        if field.default is None:
            return []
        if field.type == 'string':
            return [f'.preset_text = {text_literal(field.default)}']
        value = field.words.index(field.default) + 1 if field.type == 'enum' else int(field.default)
        return [f'.preset = {number(value)}'] if value else []

    # ---- operations ----

    def _operations(self):
        for operation in self.document.operations:
            self._request(operation)
        name, operations = self.name, self.document.operations
        self.source.append(f'const operation_t {name}_operations[] = {{\n')
        self.source += [packed(self._operation(one), '    ') for one in operations]
        self.source.append('};\n\n' if operations else '    {.name = NULL},\n};\n\n')
        self.source.append(f'const size_t {name}_operation_count = {len(operations)};\n\n')
        self.header.append(f'extern const operation_t {name}_operations[{len(operations) or 1}];\nextern const size_t {name}_operation_count;\n')

    def _request(self, operation):
        struct = f'{operation.name}_request'
        self.header.append(f'struct {struct} {{\n')
        self.header += [self._member(field) for field in operation.fields]
        if operation.body:
            self.header.append(f'    struct {operation.body.c_name} body;\n')
        if not operation.fields and not operation.body:
            self.header.append('    char nothing; /* ISO C wants a member */\n')
        self.header.append('};\n')
        note = f'{operation.method.upper()} {operation.path}: {operation.summary} {operation.description}'
        self.header.append(comment(note))
        self.header.append(f'reply_t {operation.name}(req_t *req, const struct {struct} *in);\n\n')
        self._table(operation.name, struct, operation.name, operation.fields, [], 'static const')
        self.source.append(f'static reply_t handle_{operation.name}(req_t *req, const void *request)\n{{\n'
                           f'    return {operation.name}(req, request);\n}}\n\n')

    @staticmethod
    def _operation(operation):
        parts = [f'.name = "{operation.name}"', f'.method = METHOD_{operation.method.upper()}', f'.path = "{operation.path}"',
                 f'.access = {ACCESS[operation.access]}', f'.tier = TIER_{operation.tier.upper()}']
        if operation.roles:
            parts.append('.roles = ' + ' | '.join(f'ROLE_{role.upper()}' for role in operation.roles))
        parts.append(f'.request = &{operation.name}_request_schema')
        if operation.body:
            parts.append(f'.body = &{operation.body.c_name}_schema')
            parts.append(f'.body_offset = offsetof(struct {operation.name}_request, body)')
        parts += [f'.body_max = {operation.body_max}', f'.timeout_us = {operation.timeout_ms} * MILLISECOND_US']
        if operation.limit[0]:
            parts += [f'.limit_count = {operation.limit[0]}', f'.limit_seconds = {operation.limit[1]}']
        if operation.needs_match:
            parts.append('.needs_match = true')
        parts.append(f'.handle = handle_{operation.name}')
        return parts

    def _openapi(self):
        """The document as a text, in pieces of a line each."""
        text = json.dumps(public_document(self.document), ensure_ascii=False, separators=(',', ':'))
        self.header.append(f'extern const char {self.name}_openapi[]; /* this document, JSON */\n\n')
        self.source.append(f'const char {self.name}_openapi[] =\n')
        lines, piece = [], ''
        for character in text:
            escaped = ''.join(_escaped(byte) for byte in character.encode())
            if len(piece) + len(escaped) > WIDTH - 7:
                lines.append(piece)
                piece = ''
            piece += escaped
        lines.append(piece)
        self.source.append('\n'.join(f'    "{line}"' for line in lines) + ';\n')
