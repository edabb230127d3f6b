"""Turns the YAML of a document into the model, checking all of it on the way."""
import os
import re

from generate_api_model import (
    BODY_MAX, C_KEYWORDS, FIELDS_MAX, HANDLED_HEADERS, METHODS, PATH_VALUES_MAX, ROLES, TIERS, TIMEOUT_MS, Items, Map, Operation,
    Problem, check_keys, expect, load_yaml, need, snake, take)
from generate_api_schema import Schemas

OPERATION_KEYWORDS = (
    'operationId', 'tags', 'summary', 'description', 'security', 'parameters', 'requestBody', 'responses', 'deprecated',
    'x-problems', 'x-limit', 'x-body-max', 'x-timeout-ms', 'x-tier', 'x-if-match', 'x-stream')


class Document(Schemas):
    """One openapi/<name>.yaml. `core` is the shared one beside it; None for core itself."""

    def __init__(self, path, core=None):
        super().__init__(load_yaml(path), core)
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.problems, self.operations = {}, []
        self._read_head()
        self._read_problems()
        for name in self.components('schemas'):
            self.schema(name)
        for schema in self.schemas.values():
            self._refuse_cycle(schema, [])
        self._read_paths()
        self._check_requests()
        self._check_public()
        self._check_constants()

    def _read_head(self):
        where = self.tree.where()
        check_keys(self.tree, ('openapi', 'info', 'paths', 'components', 'x-problems', 'tags'), 'the document')
        version = need(self.tree, 'openapi', str, 'the document')
        expect(version.startswith('3.1.'), self.tree.where('openapi'), 'openapi must be 3.1.x')
        info = need(self.tree, 'info', Map, 'the document')
        need(info, 'title', str, 'info')
        need(info, 'version', str, 'info')
        expect('paths' in self.tree, where, 'the document lacks paths')
        components = take(self.tree, 'components', Map, 'the document', Map('', 0))
        check_keys(components, ('schemas', 'parameters', 'responses', 'securitySchemes'), 'components')

    def _read_problems(self):
        nodes = take(self.tree, 'x-problems', Map, 'the document', {})
        for code, node in nodes.items():
            where = nodes.where(code)
            expect(re.fullmatch('[a-z][a-z0-9_]*', code), where, f'the problem {code} must be lower_case_words')
            expect(isinstance(node, Map), where, f'the problem {code} must be a mapping')
            check_keys(node, ('status', 'title'), f'the problem {code}')
            status = need(node, 'status', int, f'the problem {code}')
            expect(400 <= status <= 599, node.where('status'), f'the status of the problem {code} must be 400 to 599')
            expect(not (self.core and code in self.core.problems), where, f'core has the problem {code} already')
            self.problems[code] = Problem(code, status, need(node, 'title', str, f'the problem {code}'))

    # ---- operations ----

    def _read_paths(self):
        paths = take(self.tree, 'paths', Map, 'the document')
        names, shapes = {}, {}
        for path, node in paths.items():
            where = paths.where(path)
            segment = r'(?:[A-Za-z0-9._~-]+|\{[a-z][a-z0-9_]*\})'
            expect(re.fullmatch(f'(?:/{segment})+', path), where,
                   f'the path {path} must be made of /words and /{{parameters}}')
            expect(path.startswith('/api/v1/'), where, f'the path {path} must begin with /api/v1/')
            shape = re.sub(r'\{[^}]*\}', '{}', path)
            expect(shape not in shapes, where, f'the paths {path} and {shapes.get(shape)} are the same')
            shapes[shape] = path
            check_keys(node, METHODS, f'the path {path}')
            for method, operation in node.items():
                read = self._read_operation(path, method, operation, node.where(method))
                expect(read.name not in names, operation.where('operationId'),
                       f'the operationId {read.name} is taken by {names.get(read.name)}')
                names[read.name] = f'{method.upper()} {path}'
                self.operations.append(read)

    def _read_operation(self, path, method, node, where):
        what = f'{method.upper()} {path}'
        expect(isinstance(node, Map), where, f'{what} must be a mapping')
        for key in ('operationId', 'summary', 'responses', 'security'):
            expect(key in node, where, f'{what} lacks {key}')
        check_keys(node, OPERATION_KEYWORDS, what)
        name = need(node, 'operationId', str, what)
        expect(re.fullmatch('[a-z][a-z0-9_]*', name) and name not in C_KEYWORDS, node.where('operationId'),
               f'the operationId {name} must be lower_case_words')
        operation = Operation(name, method, path, where, node, need(node, 'summary', str, what))
        operation.description = take(node, 'description', str, what, '').strip()
        operation.stream = take(node, 'x-stream', bool, what, False)
        self._read_security(operation)
        self._read_bounds(operation)
        self._read_parameters(operation)
        self._read_body(operation)
        self._read_responses(operation)
        self._read_operation_problems(operation)
        return operation

    @staticmethod
    def _read_security(operation):
        node, name = operation.node, operation.name
        where, schemes = node.where('security'), take(node, 'security', Items, name)
        members = [one for one in schemes if isinstance(one, Map) and list(one) == ['member']]
        others = [one for one in schemes if one == {}]
        expect(len(members) + len(others) == len(schemes) and len(members) <= 1 and len(others) <= 1
               and (members or not others), where,
               f'security of {name} must be [], [{{}}, {{ member: [] }}] or [{{ member: [roles] }}]')
        operation.access = 'anyone' if not schemes else 'reader' if others else 'member'
        operation.roles = list(members[0]['member']) if members else []
        for role in operation.roles:
            expect(role in ROLES, where, f'there is no role {role}; there are {", ".join(ROLES)}')
        expect(not (operation.roles and others), where, f'{name} cannot ask for a role and let strangers in')

    @staticmethod
    def _read_bounds(operation):
        node, name = operation.node, operation.name
        operation.tier = take(node, 'x-tier', str, name, 'unverified')
        expect(operation.tier in TIERS, node.where('x-tier'), f'x-tier must be one of {", ".join(TIERS)}')
        operation.body_max = take(node, 'x-body-max', int, name, BODY_MAX)
        expect(0 < operation.body_max <= 64 * 1024 * 1024, node.where('x-body-max'), 'x-body-max must be 1 byte to 64 MiB')
        operation.timeout_ms = take(node, 'x-timeout-ms', int, name, TIMEOUT_MS)
        expect(0 < operation.timeout_ms <= 600_000, node.where('x-timeout-ms'), 'x-timeout-ms must be 1 to 600000')
        limit = take(node, 'x-limit', Map, name)
        if limit is not None:
            check_keys(limit, ('count', 'per_s'), 'x-limit')
            operation.limit = (need(limit, 'count', int, 'x-limit'), need(limit, 'per_s', int, 'x-limit'))
            expect(min(operation.limit) > 0, node.where('x-limit'), 'x-limit needs count and per_s above 0')
        match = take(node, 'x-if-match', str, name)
        expect(match in (None, 'required'), node.where('x-if-match'), 'x-if-match can only be: required')
        operation.needs_match = match == 'required'

    def _read_parameters(self, operation):
        nodes, name = take(operation.node, 'parameters', Items, operation.name, []), operation.name
        seen, fields = set(), {'path': {}, 'query': {}, 'header': {}}
        for index, node in enumerate(nodes):
            where = nodes.where(index)
            document = self
            if isinstance(node, Map) and '$ref' in node:
                check_keys(node, ('$ref',), 'the reference')
                document, _, node = self.resolve(node, 'parameters')
            field = document._parameter(node, where)
            expect(field.c_name not in seen, where, f'{name} has the parameter {field.name} twice')
            seen.add(field.c_name)
            if field.name == 'Idempotency-Key':
                operation.takes_key = True
            elif field.name == 'If-Match':
                operation.takes_match = True
            else:
                fields[field.place][field.name] = field
        in_path = re.findall(r'\{([^}]*)\}', operation.path)
        for one in fields['path'].values():
            expect(one.name in in_path, one.where, f'{name} has the parameter {one.name}, but its path does not')
        for one in in_path:
            expect(one in fields['path'], operation.where, f'the path of {name} has {{{one}}}, but it has no such parameter')
        expect(len(in_path) <= PATH_VALUES_MAX, operation.where, f'a path may have {PATH_VALUES_MAX} parameters')
        expect(len(set(in_path)) == len(in_path), operation.where, f'the path of {name} has a parameter twice')
        expect(operation.takes_match or not operation.needs_match, operation.where,
               f'{name} has x-if-match: required, but not the parameter If-Match')
        expect(operation.takes_key or operation.method != 'post', operation.where,
               f'{name} is a POST: it needs the parameter IdempotencyKey')
        operation.fields = [fields['path'][one] for one in in_path]
        operation.fields += [*fields['query'].values(), *fields['header'].values()]
        expect(len(operation.fields) <= FIELDS_MAX, operation.where, f'{name} has more than {FIELDS_MAX} parameters')

    def _parameter(self, node, where):
        expect(isinstance(node, Map), where, 'a parameter must be a mapping')
        check_keys(node, ('name', 'in', 'required', 'description', 'schema'), 'a parameter')
        name, place = need(node, 'name', str, 'a parameter'), need(node, 'in', str, 'a parameter')
        expect(place in ('path', 'query', 'header'), node.where('in'), f'the parameter {name} must be in path, query or header')
        form = '[A-Za-z][A-Za-z0-9-]*' if place == 'header' else '[a-z][a-z0-9_]*'
        expect(re.fullmatch(form, name), node.where('name'), f'the parameter {name} cannot be named so')
        expect(snake(name) not in C_KEYWORDS | {'body'}, node.where('name'), f'the parameter {name} cannot be named so')
        required = take(node, 'required', bool, name, False)
        expect(required or place != 'path', where, f'the parameter {name} is in the path: required must be true')
        field = self.field(need(node, 'schema', Map, f'the parameter {name}'), name, where, required, place)
        field.description = take(node, 'description', str, name, field.description)
        expect(field.type in ('string', 'uuid', 'time', 'enum', 'int', 'bool') and not field.nullable, where,
               f'the parameter {name} must be a string, an integer or a boolean')
        expect(name in HANDLED_HEADERS or field.type != 'string' or field.most is not None, where,
               f'the parameter {name} needs maxLength')
        return field

    def _read_body(self, operation):
        node, what = take(operation.node, 'requestBody', Map, operation.name), f'the request body of {operation.name}'
        if node is None:
            return
        expect(operation.method != 'get', operation.node.where('requestBody'), 'a GET has no body')
        check_keys(node, ('required', 'description', 'content'), what)
        expect(node.get('required') is True, node.where(), f'{what} needs required: true')
        operation.body = self._content(node, 'application/json', what)

    def _content(self, node, only, what):
        """The object schema of a body of that content type."""
        content = need(node, 'content', Map, what)
        expect(list(content) == [only], node.where('content'), f'{what} must be {only} and nothing else')
        schema = need(content[only], 'schema', Map, what)
        expect('$ref' in schema, content[only].where('schema'), f'{what} must be a $ref to an object')
        document, name, _ = self.resolve(schema, 'schemas')
        found = document.schema(name)
        expect(found, schema.where('$ref'), f'{what} must be a $ref to an object')
        return found

    def _read_responses(self, operation):
        node, name = take(operation.node, 'responses', Map, operation.name), operation.name
        for status, response in node.items():
            expect(re.fullmatch('2[0-9][0-9]', status), node.where(status),
                   f'responses of {name} may only have 2xx: problems come from x-problems')
            expect(isinstance(response, Map), node.where(status), f'the response {status} must be a mapping')
            check_keys(response, ('description', 'content', 'headers'), f'the response {status} of {name}')
            need(response, 'description', str, f'the response {status} of {name}')
        expect(len(node) == 1, operation.where, f'{name} must have exactly one 2xx response')
        status, response = next(iter(node.items()))
        operation.status = int(status)
        expect((operation.status == 204) == ('content' not in response), node.where(status),
               f'the response of {name} must have content, or be 204 without')
        if 'content' not in response:
            return
        content = take(response, 'content', Map, name)
        expect(len(content) == 1, response.where('content'), f'the response of {name} must have one content type')
        operation.result_type = next(iter(content))
        if operation.result_type == 'application/json':
            operation.result = self._content(response, 'application/json', f'the response of {name}')

    def _read_operation_problems(self, operation):
        nodes = take(operation.node, 'x-problems', Items, operation.name, [])
        for index, code in enumerate(nodes):
            problem = self.problems.get(code) or (self.core and self.core.problems.get(code))
            expect(problem, nodes.where(index), f'there is no problem {code} under x-problems, neither here nor in core.yaml')
            operation.problems.append(problem)

    # ---- what holds for the whole ----

    def _check_requests(self):
        """What strangers send is bounded: each array by maxItems, each string by maxLength."""
        for operation in self.operations:
            if operation.body:
                self._check_bounded(operation.body, set())

    def _check_bounded(self, schema, seen):
        if schema.name in seen:
            return
        seen.add(schema.name)
        for field in schema.fields:
            expect(field.type != 'array' or field.most is not None, field.where,
                   f'{field.name} comes in a request: it needs maxItems')
            text = field.item if field.type == 'array' else field
            expect(text.type != 'string' or text.most is not None, field.where,
                   f'{field.name} comes in a request: it needs maxLength')
            if field.schema:
                self._check_bounded(field.schema, seen)

    def _check_public(self):
        """What is internal is reached from nothing public."""
        public = [schema for schema in self.schemas.values() if not schema.internal]
        for schema in public:
            for field in schema.fields:
                expect(not (field.schema and field.schema.internal), field.where,
                       f'{field.name} refers to the internal schema {field.schema.name if field.schema else ""}')
        for operation in self.operations:
            for schema in (operation.body, operation.result):
                expect(not (schema and schema.internal), operation.where,
                       f'{operation.name} uses the internal schema {schema.name if schema else ""}')

    def _check_constants(self):
        """The names that C sees are all different."""
        seen = {}
        for prefix, fields in self.enum_owners():
            for field in fields:
                for word in (field.words or ()):
                    constant = f'{prefix}_{field.c_name}_{snake(word)}'.upper()
                    expect(constant not in seen, field.where, f'the constant {constant} is made at {seen.get(constant)} too')
                    seen[constant] = field.where
        structs = {}
        names = [(schema.c_name, schema.where) for schema in self.schemas.values()]
        for name, where in names + [(f'{one.name}_request', one.where) for one in self.operations]:
            expect(name not in structs, where, f'struct {name} is made at {structs.get(name)} too')
            structs[name] = where

    def enum_owners(self):
        yield from ((schema.c_name, schema.fields) for schema in self.schemas.values())
        yield from ((operation.name, operation.fields) for operation in self.operations)


def read_documents(paths):
    """The documents, with core's (beside the first) in front of them."""
    core_path = os.path.join(os.path.dirname(os.path.abspath(paths[0])), 'core.yaml')
    core = Document(core_path)
    rest = [Document(path, core) for path in paths if os.path.abspath(path) != core_path]
    return core, rest
