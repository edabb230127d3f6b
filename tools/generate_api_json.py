"""The public form of a document: what is internal left out, x-problems spelled out as responses."""
from generate_api_model import Mistake

DROPPED = object()
PROBLEM_CONTENT = {'application/problem+json': {'schema': {'$ref': '#/components/schemas/Problem'}}}


def public_document(document):
    """A part of the OpenAPI document: of core its head and what all share, of a module its own paths and components."""
    result = _public({key: value for key, value in document.tree.items() if key not in ('paths', 'components')})
    result['paths'] = {}
    for operation in document.operations:
        result['paths'].setdefault(operation.path, {})[operation.method] = _operation(document, operation)
    components = {kind: _public(nodes) for kind, nodes in document.tree.get('components', {}).items()}
    result['components'] = {kind: nodes for kind, nodes in components.items() if nodes}
    return result


def merged_document(core, documents):
    """One document of all; a component that two define differently is a mistake."""
    result = public_document(core)
    for document in documents:
        part = public_document(document)
        for path, node in part['paths'].items():
            if path in result['paths']:
                raise Mistake(document.tree['paths'].where(path), f'another document has the path {path} too')
            result['paths'][path] = node
        for kind, nodes in part['components'].items():
            for name, node in nodes.items():
                if result['components'].setdefault(kind, {}).setdefault(name, node) != node:
                    where = document.tree['components'][kind].where(name)
                    raise Mistake(where, f'another document has a different {name} under components/{kind}')
    return result


def _implied_problems(document, operation):
    """What core answers because of what the operation asks for."""
    asked = {'unauthenticated': operation.access != 'anyone', 'forbidden': operation.roles or operation.tier != 'unverified',
             'version_conflict': operation.takes_match, 'precondition_required': operation.needs_match}
    of = (document.core or document).problems
    return [of[code] for code, on in asked.items() if on]


def _operation(document, operation):
    result = _public(operation.node)
    if operation.needs_match:
        result['parameters'] = [dict(_public(node), required=True) if node.get('name') == 'If-Match' else _public(given)
                                for given, node in _resolved(document, operation.node['parameters'])]
    by_status = {}
    for problem in _implied_problems(document, operation) + operation.problems:
        by_status.setdefault(str(problem.status), []).append(problem)
    for status, problems in sorted(by_status.items()):
        description = '\n'.join(f'{problem.code}: {problem.title}' for problem in problems)
        result['responses'][status] = {'description': description, 'content': PROBLEM_CONTENT}
    result['responses']['default'] = {'$ref': '#/components/responses/Problem'}
    return result


def _resolved(document, parameters):
    """Each parameter as it stands, and what it refers to."""
    for given in parameters:
        yield given, document.resolve(given, 'parameters')[2] if '$ref' in given else given


def _public(node):
    """The node without x- keys and without what is x-internal."""
    if isinstance(node, list):
        return [_public(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get('x-internal') is True:
        return DROPPED
    result = {}
    if 'x-characters' in node:
        node = dict(node, pattern=f'^[{node["x-characters"]}]*$')
    if node.get('x-visible') is True:
        node = dict(node, pattern=r'\S')
    for key, value in node.items():
        if not key.startswith('x-'):
            value = _public(value)
            if value is not DROPPED:
                result[key] = value
    return result
