"""Reads the schemas of a document: the structs of C and the types of TypeScript."""
import re

from generate_api_model import (
    C_KEYWORDS, FIELDS_MAX, INT64_MAX, INT64_MIN, Field, Items, Map, Mistake, Schema, check_keys, expect, need, snake, take)

TYPES = {'string': 'string', 'integer': 'int', 'boolean': 'bool', 'array': 'array', 'object': 'object'}
KEYWORDS = {
    'string': ('type', 'format', 'enum', 'minLength', 'maxLength', 'x-characters', 'x-visible', 'default', 'description', 'examples'),
    'int': ('type', 'minimum', 'maximum', 'default', 'description', 'examples'),
    'bool': ('type', 'default', 'description', 'examples'),
    'array': ('type', 'items', 'minItems', 'maxItems', 'description', 'examples'),
    'raw': ('x-raw', 'description', 'examples'),
    'nullable': ('anyOf', 'oneOf', 'description'),
    'reference': ('$ref', 'description'),
    'object': ('type', 'description', 'required', 'additionalProperties', 'properties', 'minProperties', 'x-internal',
               'x-patch', 'examples'),
}


class Schemas:
    """The components of a document. `core` is the document that all others share; None for itself."""

    def __init__(self, tree, core):
        self.tree, self.core, self.schemas = tree, core, {}

    def components(self, kind):
        return take(take(self.tree, 'components', Map, 'the document', {}) or {}, kind, Map, 'components', {}) or {}

    def resolve(self, node, kind):
        """What a $ref to #/components/<kind>/… names: (document, name, node)."""
        reference = take(node, '$ref', str, 'the reference')
        prefix = f'#/components/{kind}/'
        expect(reference.startswith(prefix), node.where('$ref'), f'$ref must begin with {prefix}')
        name = reference[len(prefix):]
        for document in (self, self.core):
            if document and name in document.components(kind):
                return document, name, document.components(kind)[name]
        raise Mistake(node.where('$ref'), f'{reference} names nothing, neither here nor in core.yaml')

    def schema(self, name):
        """The object schema of that name; None when it is a plain type with a name."""
        if name in self.schemas:
            return self.schemas[name]
        nodes = self.components('schemas')
        node, where = nodes[name], nodes.where(name)
        what = f'the schema {name}'
        expect(re.fullmatch('[A-Z][A-Za-z0-9]*', name), where, f'{what} must be named in CapitalWords')
        expect(isinstance(node, Map), where, f'{what} must be a mapping')
        if node.get('type') != 'object':
            self.field(node, name, where)
            return None
        check_keys(node, KEYWORDS['object'], what)
        schema = Schema(name, where, self.core is None)
        self.schemas[name] = schema
        schema.description = take(node, 'description', str, what, '')
        schema.internal = schema.open = take(node, 'x-internal', bool, what, False)
        schema.patch = take(node, 'x-patch', bool, what, False)
        schema.least_fields = take(node, 'minProperties', int, what, 0)
        if not schema.internal or 'additionalProperties' in node:
            expect(node.get('additionalProperties') is False, where, f'{what} needs additionalProperties: false')
            schema.open = False
        self._read_properties(schema, node, what)
        return schema

    def _read_properties(self, schema, node, what):
        properties = need(node, 'properties', Map, what)
        expect(properties, node.where('properties'), f'{what} has no properties')
        required = take(node, 'required', Items, what, [])
        for index, name in enumerate(required):
            expect(name in properties, required.where(index), f'required names {name}, but {what} has no such property')
        for name, value in properties.items():
            where = properties.where(name)
            expect(re.fullmatch('[a-z][a-z0-9_]*', name), where, f'the property {name} must be lower_case_words')
            expect(name not in C_KEYWORDS, where, f'the property {name} cannot be named so: it is a word of C')
            field = self.field(value, name, where, required=name in required)
            field.patch = schema.patch
            expect(not (field.patch and field.nullable and field.type in ('int', 'bool')), where,
                   f'{name} cannot be null in a schema with x-patch: its bool has_{name} says that it was sent')
            schema.fields.append(field)
        expect(len(schema.fields) <= FIELDS_MAX, node.where('properties'), f'{what} has more than {FIELDS_MAX} properties')

    def field(self, node, name, where, required=False, place='body'):
        expect(isinstance(node, Map), where, f'the schema of {name} must be a mapping')
        if '$ref' in node:
            return self._reference(node, name, where, required, place)
        if 'anyOf' in node or 'oneOf' in node:
            return self._nullable_reference(node, name, where, required, place)
        field = Field(name, 'raw', where, place=place, required=required)
        field.description = take(node, 'description', str, name, '')
        if 'x-raw' in node:
            check_keys(node, KEYWORDS['raw'], f'the raw value {name}')
            return field
        kind = node.get('type')
        if isinstance(kind, list):
            field.nullable = 'null' in kind
            kinds = [one for one in kind if one != 'null']
            kind = kinds[0] if len(kinds) == 1 else None
        expect(kind in TYPES, node.where('type'),
               f'the type of {name} must be one of {", ".join(TYPES)}, perhaps in a list with \'null\'')
        field.type = TYPES[kind]
        expect(kind != 'object', where, f'give the object {name} a name under components/schemas and refer to it')
        check_keys(node, KEYWORDS[field.type], f'the {kind} {name}')
        getattr(self, f'_read_{field.type}')(field, node)
        self._read_default(field, node)
        return field

    def _reference(self, node, name, where, required, place):
        check_keys(node, KEYWORDS['reference'], f'the reference {name}')
        document, target, target_node = self.resolve(node, 'schemas')
        if isinstance(target_node, Map) and target_node.get('type') == 'object':
            field = Field(name, 'object', where, place=place, required=required, schema=document.schema(target))
        else:
            field = document.field(target_node, name, where, required, place)
            field.alias = field.alias or target
        field.description = take(node, 'description', str, name, field.description)
        return field

    def _nullable_reference(self, node, name, where, required, place):
        check_keys(node, KEYWORDS['nullable'], f'the choice {name}')
        choices = node.get('anyOf') or node.get('oneOf')
        references = [one for one in choices if isinstance(one, Map) and '$ref' in one]
        nulls = [one for one in choices if isinstance(one, Map) and one.get('type') == 'null']
        expect(len(choices) == 2 and len(references) == 1 and len(nulls) == 1, where,
               f'{name} may only be a choice of one $ref and {{ type: \'null\' }}')
        field = self._reference(references[0], name, where, required, place)
        field.nullable = True
        field.description = take(node, 'description', str, name, field.description)
        return field

    @staticmethod
    def _read_string(field, node):
        name = field.name
        form = take(node, 'format', str, name)
        expect(form in (None, 'uuid', 'date-time', 'password'), node.where('format'),
               f'the format of {name} must be uuid, date-time or password')
        if form in ('uuid', 'date-time') or 'enum' in node:
            for key in ('minLength', 'maxLength', 'x-characters', 'x-visible'):
                expect(key not in node, node.where(key), f'{key} does not go with a format or an enum')
        if form in ('uuid', 'date-time'):
            expect('enum' not in node, node.where('enum'), 'enum does not go with a format')
            field.type = {'uuid': 'uuid', 'date-time': 'time'}[form]
            return
        if 'enum' in node:
            words = take(node, 'enum', Items, name)
            expect(words, node.where('enum'), f'the enum {name} is empty')
            for index, word in enumerate(words):
                expect(isinstance(word, str) and re.fullmatch('[A-Za-z][A-Za-z0-9_.-]*', word), words.where(index),
                       f'the value {word} of the enum {name} must be a word')
            expect(len({snake(word) for word in words}) == len(words), node.where('enum'),
                   f'the enum {name} has a value twice')
            field.type, field.words = 'enum', list(words)
            return
        field.least = take(node, 'minLength', int, name, 0)
        field.most = take(node, 'maxLength', int, name)
        expect(0 <= field.least <= (field.most if field.most is not None else INT64_MAX), node.where('minLength'),
               f'minLength of {name} must be 0 or more and at most maxLength')
        field.pattern = take(node, 'x-characters', str, name)
        if field.pattern is not None:
            expect(re.fullmatch(r'([a-zA-Z0-9_.~+/=@:]-[a-zA-Z0-9_.~+/=@:]|[a-zA-Z0-9_.~+/=@:])*-?', field.pattern)
                   and field.pattern, node.where('x-characters'),
                   f'x-characters of {name} must be ranges and characters such as a-z0-9_-, with - last')
        field.visible = take(node, 'x-visible', bool, name, False)

    @staticmethod
    def _read_int(field, node):
        field.least = take(node, 'minimum', int, field.name)
        field.most = take(node, 'maximum', int, field.name)
        least = INT64_MIN if field.least is None else field.least
        most = INT64_MAX if field.most is None else field.most
        expect(INT64_MIN <= least <= most <= INT64_MAX, node.where('minimum'),
               f'minimum of {field.name} must be at most its maximum, and both fit in 64 bits')

    @staticmethod
    def _read_bool(field, node):
        pass

    def _read_array(self, field, node):
        name = field.name
        field.least = take(node, 'minItems', int, name, 0)
        field.most = take(node, 'maxItems', int, name)
        expect(0 <= field.least <= (field.most if field.most is not None else INT64_MAX), node.where('minItems'),
               f'minItems of {name} must be 0 or more and at most maxItems')
        items = need(node, 'items', Map, f'the array {name}')
        field.item = self.field(items, name, node.where('items'), required=True)
        expect(field.item.type not in ('array', 'raw') and not field.item.nullable, node.where('items'),
               f'the items of {name} must be strings, integers, booleans or objects, never null')
        expect(field.item.default is None, node.where('items'), f'the items of {name} cannot have a default')
        field.schema, field.words, field.pattern = field.item.schema, field.item.words, field.item.pattern

    @staticmethod
    def _read_default(field, node):
        if 'default' not in node:
            return
        where, value = node.where('default'), node['default']
        expect(not field.required, where, f'{field.name} is required: a default is never used')
        expect(not field.nullable, where, f'{field.name} may be null: leave out the default')
        kind = {'int': int, 'bool': bool, 'string': str, 'enum': str}.get(field.type)
        fits = kind and isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        expect(fits, where, f'the default of {field.name} is of the wrong type')
        if field.type == 'int':
            expect((field.least is None or value >= field.least) and (field.most is None or value <= field.most), where,
                   f'the default of {field.name} is out of its own bounds')
        if field.type == 'enum':
            expect(value in field.words, where, f'the default of {field.name} is none of its values')
        field.default = value

    def _refuse_cycle(self, schema, path):
        expect(schema.name not in path, schema.where, f'the schema {schema.name} contains itself: make the property optional')
        for field in schema.fields:
            if field.type == 'object' and not field.by_pointer:
                self._refuse_cycle(field.schema, path + [schema.name])
