"""Reads an openapi/<name>.yaml into a model of what it says, or stops at the first mistake, naming file and line.

Only the part of OpenAPI 3.1 that the generators understand is let through: a keyword that would be ignored is refused.
"""
import os
import re
from dataclasses import dataclass, field as dataclass_field
from typing import Any, Optional

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
METHODS = ('get', 'post', 'put', 'patch', 'delete')
ROLES = ('moderator', 'administrator')
TIERS = ('unverified', 'phone', 'vouched', 'verified')
HANDLED_HEADERS = ('Idempotency-Key', 'If-Match')  # by core: they get no field in the request struct
PATH_VALUES_MAX = 8
FIELDS_MAX = 64  # of a struct: the decoder keeps what came as bits
BODY_MAX = 64 * 1024
TIMEOUT_MS = 10_000
INT64_MIN, INT64_MAX = -2**63, 2**63 - 1

C_KEYWORDS = frozenset("""auto break case char const continue default do double else enum extern float for goto if inline
int long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
bool true false NULL""".split())

# Structs of core's headers: a schema of such a name becomes struct <name>_json.
CORE_STRUCTS = frozenset("""arena arena_mark bus cache caller config config_option cursor database field field_error fiber
hash host job json_reader json_writer keyring log_entry log_position log_reader loop migration module operation problem
problem_kind reply req route router schema statement str tx uuid value_slot worker_pool""".split())


class Mistake(Exception):
    """Something wrong in a source file."""

    def __init__(self, where, message):
        super().__init__(f'{where}: {message}')


class Map(dict):
    """A YAML mapping that knows where it and its keys stand."""

    def __init__(self, file, line):
        super().__init__()
        self.file, self.line, self.lines = file, line, {}

    def where(self, key=None):
        return f'{self.file}:{self.lines.get(key, self.line)}'


class Items(list):
    """A YAML sequence that knows where it and its items stand."""

    def __init__(self, file, line):
        super().__init__()
        self.file, self.line, self.lines = file, line, []

    def where(self, index=None):
        return f'{self.file}:{self.line if index is None else self.lines[index]}'


def shown_path(path):
    full = os.path.abspath(path)
    return os.path.relpath(full, ROOT) if full.startswith(ROOT + os.sep) else path


def load_yaml(path):
    file = shown_path(path)
    with open(path, encoding='utf-8') as stream:
        loader = yaml.SafeLoader(stream)
        try:
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                raise Mistake(f'{file}:1', 'the document must be a mapping')
            return _convert(loader, node, file)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise Mistake(f'{file}:{line}', f'not YAML: {error.problem}') from None
        finally:
            loader.dispose()


def _convert(loader, node, file):
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result = Map(file, line)
        for key_node, value_node in node.value:
            key, key_line = loader.construct_object(key_node), key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise Mistake(f'{file}:{key_line}', f'the key {key} must be text: put it in quotes')
            if key in result:
                raise Mistake(f'{file}:{key_line}', f'{key} is there twice')
            result[key] = _convert(loader, value_node, file)
            result.lines[key] = key_line
        return result
    if isinstance(node, yaml.SequenceNode):
        result = Items(file, line)
        for item in node.value:
            result.append(_convert(loader, item, file))
            result.lines.append(item.start_mark.line + 1)
        return result
    return loader.construct_object(node)


@dataclass
class Problem:
    code: str
    status: int
    title: str


@dataclass
class Field:
    name: str
    type: str  # string uuid time enum int bool object array raw
    where: str
    place: str = 'body'  # body path query header
    required: bool = False
    nullable: bool = False
    default: Any = None
    least: Optional[int] = None
    most: Optional[int] = None
    words: Optional[list] = None
    pattern: Optional[str] = None
    visible: bool = False
    schema: Optional['Schema'] = None
    item: Optional['Field'] = None
    description: str = ''
    patch: bool = False
    alias: Optional[str] = None  # the component schema that it is a $ref to, when that is no object

    @property
    def c_name(self):
        return snake(self.name)

    @property
    def by_pointer(self):
        return self.type == 'object' and (self.nullable or not self.required)

    @property
    def has(self):
        """Whether a bool has_<name> stands beside it."""
        if self.patch and not self.required:
            return True
        return self.type in ('int', 'bool') and (self.nullable or (not self.required and self.default is None))


@dataclass
class Schema:
    name: str
    where: str
    core: bool
    internal: bool = False
    patch: bool = False
    open: bool = False
    least_fields: int = 0
    description: str = ''
    fields: list = dataclass_field(default_factory=list)

    @property
    def c_name(self):
        name = snake(self.name)
        return name + '_json' if name in CORE_STRUCTS else name


@dataclass
class Operation:
    name: str
    method: str
    path: str
    where: str
    node: Map
    summary: str
    description: str = ''
    access: str = 'member'
    roles: list = dataclass_field(default_factory=list)
    tier: str = 'unverified'
    fields: list = dataclass_field(default_factory=list)  # path, then query, then header
    takes_key: bool = False
    takes_match: bool = False
    needs_match: bool = False
    stream: bool = False
    body: Optional[Schema] = None
    body_max: int = BODY_MAX
    timeout_ms: int = TIMEOUT_MS
    limit: tuple = (0, 0)
    problems: list = dataclass_field(default_factory=list)
    status: int = 200
    result: Optional[Schema] = None
    result_type: Optional[str] = None  # content type; None: no body


def snake(name):
    name = re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name)
    return re.sub(r'[^A-Za-z0-9]+', '_', name).lower()


def camel(name):
    first, *rest = re.split(r'[^A-Za-z0-9]+', name)
    return first[:1].lower() + first[1:] + ''.join(part[:1].upper() + part[1:] for part in rest)


def expect(condition, where, message):
    if not condition:
        raise Mistake(where, message)


def check_keys(node, allowed, what):
    for key in node:
        expect(key in allowed, node.where(key), f'{what} does not know the keyword {key}; it knows {", ".join(allowed)}')


def take(node, key, kind, what, default=None):
    """The value of a key, of the kind that it must have."""
    if key not in node:
        return default
    value = node[key]
    names = {str: 'text', int: 'a whole number', bool: 'true or false', Map: 'a mapping', Items: 'a list'}
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    expect(fits, node.where(key), f'{key} of {what} must be {names[kind]}')
    return value


def need(node, key, kind, what):
    expect(key in node, node.where(), f'{what} lacks {key}')
    return take(node, key, kind, what)
