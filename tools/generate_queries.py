#!/usr/bin/python3
"""Makes of a queries.sql one typed C function per named statement.

    generate_queries.py --name forum --out DIRECTORY modules/forum/queries.sql         queries.h and queries.c

A statement stands below its head:

    -- name: board_for_posting :optional [slow]     (:one :optional :many :none :affected)
    -- What it is for.
    -- in: slug text, member uuid?, limit int       (int bool text bytes uuid time; `?`: may be null)
    -- out: id uuid, title text                     (the columns, in order)
    -- bounded: why a :many without LIMIT is
    SELECT ... WHERE b.slug = $slug;

or below `-- sqlite:` and `-- postgres:`, when the two need different ones. `-- in: as other` and `-- out: as other` take the
columns of another statement, and its struct.

What several statements share stands once, above them, below `-- fragment: <name>`; `$$name` in the SQL means its text. Its
parameters are those of the statement that uses it.

A :none or :many with `each` takes many rows of parameters at once: on SQLite it runs for one after another, so $slug is a
value; on PostgreSQL it runs once, and $slug is an array, mostly for unnest().
"""
import argparse
import os
import re
import sys
import textwrap
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WIDTH = 110
TYPES = {'int': 'int64_t', 'bool': 'bool', 'text': 'str_t', 'bytes': 'str_t', 'uuid': 'uuid_t', 'time': 'int64_t'}
SHAPES = ('one', 'optional', 'many', 'none', 'affected')
BY_VALUE_MAX = 4
C_KEYWORDS = frozenset("""auto break case char const continue default do double else enum extern float for goto if inline
int long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
bool true false NULL""".split())
TAKEN = frozenset(('tx', 'row', 'rows', 'in'))  # the functions' own parameters

# What may hold a $ that is no parameter: a string, a quoted name, a comment.
TOKENS = re.compile(r"""(?P<string>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*")|(?P<line>--[^\n]*)|(?P<block>/\*.*?\*/)
    |\$(?P<name>[a-z_][a-z0-9_]*)|(?P<dollar>\$)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<open>\()|(?P<close>\))
    |(?P<unclosed>['"])|(?P<other>.)""", re.VERBOSE | re.DOTALL)


FRAGMENT = re.compile(r'\$\$([a-z][a-z0-9_]*)')


class Mistake(Exception):
    """Something wrong in the source file."""

    def __init__(self, file, line, message):
        super().__init__(f'{file}:{line}: {message}')


@dataclass
class Column:
    name: str
    type: str
    nullable: bool

    @property
    def has(self):
        return self.nullable and self.type in ('int', 'bool')


@dataclass
class Statement:
    name: str
    shape: str
    slow: bool
    each: bool
    line: int
    doc: list = field(default_factory=list)
    ins: list = field(default_factory=list)
    outs: list = field(default_factory=list)
    given: str = ''  # the statement whose input struct it takes; its own name unless `-- in: as …`
    row: str = ''  # the statement whose row struct it fills; its own name unless `-- out: as …`
    bounded: bool = False
    bodies: dict = field(default_factory=dict)  # dialect ('' for both) -> [(line, text)]

    @property
    def by_value(self):
        return len(self.ins) <= BY_VALUE_MAX and not self.each and not any(column.has for column in self.ins)


@dataclass
class Fragment:
    name: str
    line: int
    body: list = field(default_factory=list)  # [(line, text)]
    used: bool = False


class Parser:
    """Reads the file line by line."""

    def __init__(self, path):
        full = os.path.abspath(path)
        self.file = os.path.relpath(full, ROOT) if full.startswith(ROOT + os.sep) else path
        self.statements, self.statement, self.dialect, self.line = [], None, '', 0
        self.fragments, self.fragment = {}, None
        with open(path, encoding='utf-8') as stream:
            for self.line, text in enumerate(stream.read().split('\n'), 1):
                self.read(text)
        self.finish()
        self.line = 1
        for fragment in self.fragments.values():
            self.expect(fragment.used, f'nothing uses the fragment {fragment.name}', fragment.line)
        self.expect(self.statements, 'there is no statement; one begins with `-- name: <name> :<shape>`')

    def expect(self, condition, message, line=None):
        if not condition:
            raise Mistake(self.file, line or self.line, message)

    def read(self, text):
        head = re.fullmatch(r'--\s*(name|fragment|in|out|bounded|sqlite|postgres):\s*(.*?)\s*', text.strip())
        statement = self.statement
        if head and head.group(1) == 'name':
            self.finish()
            self.begin(head.group(2))
        elif head and head.group(1) == 'fragment':
            self.finish()
            self.begin_fragment(head.group(2))
        elif self.fragment:
            self.expect(not head, f'`-- {head and head.group(1)}:` is for statements; this is the fragment {self.fragment.name}')
            if text.strip() and not text.strip().startswith('--'):
                self.fragment.body += self.expanded(text)
        elif statement is None:
            self.expect(not text.strip() or text.strip().startswith('--'), 'SQL before the first `-- name:`')
        elif head:
            self.read_head(statement, *head.groups())
        elif text.strip().startswith('--') and not statement.bodies:
            statement.doc.append(text.strip()[2:].strip())
        elif text.strip():
            self.expect(not (self.dialect and '' in statement.bodies),
                        'a statement is either for both databases or has `-- sqlite:` and `-- postgres:` before its parts')
            statement.bodies.setdefault(self.dialect, []).extend(self.expanded(text))

    def begin_fragment(self, name):
        self.expect(re.fullmatch(r'[a-z][a-z0-9_]*', name), f'`-- fragment: {name}` must be `-- fragment: <lower_case_name>`')
        self.expect(name not in self.fragments, f'the fragment {name} is there at line {name in self.fragments and self.fragments[name].line}')
        self.fragment = Fragment(name, self.line)

    def expanded(self, text):
        """The line with its fragments in place, each piece with the line where it is written."""
        pieces = FRAGMENT.split(text)
        lines = [(self.line, pieces[0])]
        for name, rest in zip(pieces[1::2], pieces[2::2]):
            self.expect(name in self.fragments, f'there is no fragment {name} above')
            self.fragments[name].used = True
            lines += [*self.fragments[name].body, (self.line, rest)]
        return [(line, piece) for line, piece in lines if piece.strip()]

    def begin(self, text):
        match = re.fullmatch(r'([a-z][a-z0-9_]*)\s+:([a-z]+)(?:\s+(slow|each))?', text)
        self.expect(match, f'`-- name: {text}` must be `-- name: <lower_case_name> :<shape>`, perhaps with ` slow` or ` each`')
        name, shape, flag = match.groups()
        self.expect(shape in SHAPES, f'there is no shape :{shape}; there are {", ".join(":" + one for one in SHAPES)}')
        self.expect(name not in C_KEYWORDS, f'a statement cannot be named {name}: it is a word of C')
        for other in self.statements:
            self.expect(other.name != name, f'the name {name} is taken at line {other.line}')
        self.expect(flag != 'each' or shape in ('none', 'many'), f'{name} is :{shape}; with `each` it must be :none or :many')
        self.statement, self.dialect = Statement(name, shape, flag == 'slow', flag == 'each', self.line, given=name, row=name), ''

    def read_head(self, statement, word, text):
        if word in ('in', 'out'):
            self.expect(not statement.bodies, f'`-- {word}:` must stand above the SQL')
            self.read_columns(statement, word, text)
        elif word == 'bounded':
            self.expect(text, '`-- bounded:` must say why')
            statement.bounded = True
        else:
            self.expect(word not in statement.bodies, f'`-- {word}:` is there twice')
            self.expect('' not in statement.bodies, f'SQL for both databases stands above `-- {word}:`')
            self.expect(not text, f'`-- {word}:` stands in a line of its own')
            self.dialect = word
            statement.bodies[word] = []

    def read_columns(self, statement, word, text):
        columns = statement.ins if word == 'in' else statement.outs
        shared = re.fullmatch(r'as\s+([a-z][a-z0-9_]*)', text)
        if shared:
            self.expect(not columns, '`as` stands for all columns')
            found = [other for other in self.statements if other.name == shared.group(1) and (other.ins if word == 'in' else other.outs)]
            self.expect(found, f'there is no statement {shared.group(1)} with `-- {word}:` above')
            columns += found[0].ins if word == 'in' else found[0].outs
            if word == 'in':
                statement.given = found[0].given
            else:
                statement.row = found[0].row
            return
        self.expect((statement.given if word == 'in' else statement.row) == statement.name, '`as` stands for all columns')
        for part in text.removesuffix(',').split(','):
            columns.append(self.column(part.strip(), columns, word))

    def column(self, text, others, word):
        match = re.fullmatch(r'([a-z][a-z0-9_]*)\s+([a-z]+)(\?)?', text)
        self.expect(match, f'`{text}` must be `<name> <type>`, perhaps with `?` behind the type')
        name, kind, nullable = match.groups()
        self.expect(kind in TYPES, f'there is no type {kind}; there are {", ".join(TYPES)}')
        taken = TAKEN | C_KEYWORDS if word == 'in' else C_KEYWORDS
        self.expect(name not in taken, f'{name} cannot be named so: it means something else in C')
        self.expect(all(other.name != name for other in others), f'{name} is there twice')
        return Column(name, kind, bool(nullable))

    def finish(self):
        """Checks the statement or the fragment that ends here."""
        if self.fragment:
            self.expect(self.fragment.body, f'the fragment {self.fragment.name} is empty', self.fragment.line)
            self.fragments[self.fragment.name] = self.fragment
            self.fragment = None
        statement = self.statement
        if statement is None:
            return
        line, name = statement.line, statement.name
        self.expect(any(statement.doc), f'{name} lacks its doc comment: say what it is for below `-- name:`', line)
        self.expect(statement.bodies, f'{name} has no SQL', line)
        if '' not in statement.bodies:
            for dialect in ('sqlite', 'postgres'):
                self.expect(statement.bodies.get(dialect), f'{name} has no SQL for {dialect}', line)
        self.expect(not statement.each or statement.ins and '' not in statement.bodies,
                    f'{name} takes many rows: it must have `-- in:`, and SQL for each of the databases', line)
        gives = statement.shape in ('one', 'optional', 'many')
        self.expect(bool(statement.outs) == gives, f'{name} is :{statement.shape}: it must '
                    + ('have `-- out:`' if gives else 'not have `-- out:`'), line)
        for body in statement.bodies.values():
            self.check(statement, body)
        self.statements.append(statement)
        self.statement = None

    def check(self, statement, body):
        """Parameters, the end and the bound of one variant."""
        text, first = '\n'.join(line for _, line in body), body[0][0]
        declared, used = {column.name for column in statement.ins}, set()
        words = []
        for match in TOKENS.finditer(text):
            line = body[text.count('\n', 0, match.start())][0]
            self.expect(match.lastgroup != 'unclosed', 'a quote is never closed', line)
            self.expect(match.lastgroup != 'dollar', 'a $ begins the name of a parameter', line)
            if match.lastgroup == 'name':
                self.expect(match.group('name') in declared, f'${match.group("name")} is not declared in `-- in:` of {statement.name}', line)
                used.add(match.group('name'))
            if match.lastgroup == 'word':
                words.append(match.group().upper())
        for name in sorted(declared - used):
            self.expect(False, f'{name} is declared in `-- in:` but ${name} is not used', statement.line)
        code = ''.join(match.group() for match in TOKENS.finditer(text) if match.lastgroup not in ('line', 'block')).strip()
        self.expect(code.endswith(';'), f'{statement.name} must end with a semicolon', body[-1][0])
        self.expect(';' not in re.sub(r"'(?:[^']|'')*'", '', code)[:-1], f'{statement.name} is more than one statement', first)
        self.expect(statement.shape != 'many' or 'LIMIT' in words or statement.bounded,
                    f'{statement.name} is :many without LIMIT: add one, or a line `-- bounded: why`', statement.line)


def numbered(statement, dialect):
    """The lines of the SQL with ?N or $N for the parameters, without comments and the semicolon."""
    body = statement.bodies.get('') or statement.bodies[dialect]
    text = '\n'.join(line for _, line in body)
    order = {column.name: index for index, column in enumerate(statement.ins, 1)}
    sign, parts = ('?' if dialect == 'sqlite' else '$'), []
    for match in TOKENS.finditer(text):
        if match.lastgroup == 'name':
            parts.append(f'{sign}{order[match.group("name")]}')
        elif match.lastgroup in ('line', 'block'):
            parts.append(' ')
        else:
            parts.append(match.group())
    text = ''.join(parts).rstrip().rstrip(';')
    lines = textwrap.dedent(text).split('\n')
    return [line.rstrip() for line in lines if line.strip()]


def writes(statement):
    return any(_writes('\n'.join(line for _, line in body)) for body in statement.bodies.values())


def _writes(text):
    """Anything but a SELECT, or a WITH that has no other verb; SELECT ... FOR UPDATE needs a transaction too."""
    tokens = [match for match in TOKENS.finditer(text) if match.lastgroup in ('word', 'open', 'close')]
    found, depth, previous = False, 0, None
    for match in tokens:
        word = match.group().upper()
        depth += {'(': 1, ')': -1}.get(word, 0)
        if word in ('INSERT', 'UPDATE', 'DELETE', 'MERGE') and (previous == '(' or depth == 0):
            found = True
        previous = word
    return found or not tokens or tokens[0].group().upper() not in ('SELECT', 'WITH')


# ---- C ----


def comment(lines, indent=''):
    lines = [line.replace('*/', '* /').replace('/*', '/ *') for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) == 1 and len(lines[0]) + len(indent) + 6 <= WIDTH:
        return f'{indent}/* {lines[0]} */\n'
    wrapped = [piece for line in lines for piece in (textwrap.wrap(line, WIDTH - 4 - len(indent)) or [''])]
    return f'{indent}/*\n' + ''.join(f'{indent} * {line}'.rstrip() + '\n' for line in wrapped) + f'{indent} */\n'


def struct(name, columns):
    members = []
    for column in columns:
        nullable = ' /* may be null */' if column.nullable and not column.has else ''
        members.append(f'    {TYPES[column.type]} {column.name};{nullable}\n')
        if column.has:
            members.append(f'    bool has_{column.name};\n')
    return f'struct {name} {{\n{"".join(members)}}};\n'


def slots(name, table, columns):
    lines = []
    for column in columns:
        has = f'offsetof(struct {name}, has_{column.name})' if column.has else 'NO_HAS'
        lines.append(f'    {{VALUE_{column.type.upper()}, {"true" if column.nullable else "false"}, '
                     f'offsetof(struct {name}, {column.name}), {has}}},\n')
    return f'static const value_slot_t {table}[] = {{\n{"".join(lines)}}};\n'


def function(statement, table, index):
    name, shape = statement.name, statement.shape
    result = {'one': 'void', 'optional': 'bool', 'many': 'size_t', 'none': 'void', 'affected': 'int64_t'}[shape]
    parameters = ['tx_t *tx']
    given = '&in'
    if statement.each:
        parameters += [f'const struct {statement.given}_in *in', 'size_t count']
        given = '&(const statement_rows_t){in, count}'
    elif not statement.ins:
        given = 'NULL'
    elif statement.by_value:
        parameters += [f'{TYPES[column.type]} {column.name}' for column in statement.ins]
    else:
        parameters.append(f'const struct {statement.given}_in *in')
        given = 'in'
    parameters += {'one': [f'struct {statement.row} *row'], 'optional': [f'struct {statement.row} *row'],
                   'many': [f'struct {statement.row} **rows']}.get(shape, [])
    head = wrapped(f'static inline {result} {name}(', parameters, ')')
    lines = [comment(statement.doc), head, '\n{\n']
    if statement.ins and statement.by_value:
        values = [f'.{column.name} = {column.name}' for column in statement.ins]
        lines.append(wrapped(f'    const struct {statement.given}_in in = {{', values, '};') + '\n\n')
    at = f'&{table}[{index}]'
    lines.append({'one': f'    statement_fetch(tx, {at}, {given}, row);\n',
                  'optional': f'    return statement_fetch(tx, {at}, {given}, row);\n',
                  'many': many(at, given, 'found' if statement.each else 'count'),
                  'none': f'    statement_run(tx, {at}, {given});\n',
                  'affected': f'    return statement_run(tx, {at}, {given});\n'}[shape])
    return ''.join(lines) + '}\n\n'


def many(at, given, count):
    return (f'    void *all;\n    const size_t {count} = statement_fetch_all(tx, {at}, {given}, &all);\n\n'
            f'    *rows = all;\n    return {count};\n')


def wrapped(opening, parts, closing):
    """opening part, part closing: in as few lines as fit, aligned behind the opening."""
    lines, line = [], opening
    for index, part in enumerate(parts):
        piece = part + (', ' if index < len(parts) - 1 else closing)
        if len(line) + len(piece.rstrip()) > WIDTH and line.strip() != opening.strip():
            lines.append(line.rstrip())
            line = ' ' * len(opening)
        line += piece
    return '\n'.join([*lines, line])


def header(name, file, statements):
    guard, table = f'FOLKMOOT_{name.upper()}_QUERIES_H', f'{name}_statements'
    parts = [f'/* Made from {file} by tools/generate_queries.py: change it there. */\n#ifndef {guard}\n#define {guard}\n\n'
             f'#include "core/db/db.h"\n\nextern statement_t {table}[{len(statements)}];\nextern const size_t {name}_statement_count;\n\n']
    for index, statement in enumerate(statements):
        if statement.given == statement.name and statement.ins:
            parts.append(struct(f'{statement.name}_in', statement.ins) + '\n')
        if statement.row == statement.name and statement.outs:
            parts.append(struct(statement.name, statement.outs) + '\n')
        parts.append(function(statement, table, index))
    return ''.join(parts) + '#endif\n'


def text_lines(lines):
    escaped = [line.replace('\\', '\\\\').replace('"', '\\"').replace('??', '?\\?') for line in lines]
    return '\n'.join(f'         "{line}\\n"' for line in escaped[:-1]) \
        + ('\n' if len(lines) > 1 else '') + f'         "{escaped[-1]}"'


def entry(name, statement):
    own = statement.name
    sqlite, postgres = numbered(statement, 'sqlite'), numbered(statement, 'postgres')
    ins = f'.in = {statement.given}_ins, .in_count = {len(statement.ins)}' if statement.ins else '.in = NULL'
    ins += f', .in_size = sizeof(struct {statement.given}_in)' if statement.each else ''
    outs = f'.out = {statement.row}_outs, .out_count = {len(statement.outs)}, .row_size = sizeof(struct {statement.row})' \
        if statement.outs else '.out = NULL'
    flags = ''.join(f', .{flag} = true' for flag, on in (('slow', statement.slow), ('each', statement.each), ('writes', writes(statement))) if on)
    return (f'    {{.name = "{name}.{own}",\n     .sqlite =\n{text_lines(sqlite)},\n     .postgres =\n{text_lines(postgres)},\n'
            f'     {ins},\n     {outs},\n     .shape = SHAPE_{statement.shape.upper()}{flags}}},\n')


def source(name, file, statements):
    parts = [f'/* Made from {file} by tools/generate_queries.py: change it there. */\n#include "queries.h"\n\n']
    for statement in statements:
        if statement.given == statement.name and statement.ins:
            parts.append(slots(f'{statement.name}_in', f'{statement.name}_ins', statement.ins) + '\n')
        if statement.row == statement.name and statement.outs:
            parts.append(slots(statement.name, f'{statement.name}_outs', statement.outs) + '\n')
    parts.append(f'statement_t {name}_statements[] = {{\n')
    parts += [entry(name, statement) for statement in statements]
    parts.append(f'}};\n\nconst size_t {name}_statement_count = {len(statements)};\n')
    return ''.join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--name', required=True)
    parser.add_argument('--out', required=True, metavar='DIRECTORY')
    parser.add_argument('file')
    arguments = parser.parse_args()
    try:
        parsed = Parser(arguments.file)
    except (Mistake, OSError) as error:
        sys.exit(str(error))
    os.makedirs(arguments.out, exist_ok=True)
    for ending, make in (('h', header), ('c', source)):
        with open(os.path.join(arguments.out, f'queries.{ending}'), 'w', encoding='utf-8') as stream:
            stream.write(make(arguments.name, parsed.file, parsed.statements))


if __name__ == '__main__':
    main()
