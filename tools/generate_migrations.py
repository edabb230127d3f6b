#!/usr/bin/python3
"""Makes of migrations/<set>/0001_verb_object.sql … one table in C: migrations.h and migrations.c.

    generate_migrations.py --name forum --out DIRECTORY migrations/forum/*.sql

The text is for both databases, but for the lines between `-- only: sqlite` or `-- only: postgres` and `-- only: both`.
"""
import argparse
import hashlib
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIALECTS = ('sqlite', 'postgres')


class Mistake(Exception):
    """Something wrong in a source file."""


def shown(path):
    full = os.path.abspath(path)
    return os.path.relpath(full, ROOT) if full.startswith(ROOT + os.sep) else path


def split(path, text):
    """The lines of each dialect."""
    lines, only = {dialect: [] for dialect in DIALECTS}, 'both'
    for number, line in enumerate(text.split('\n'), 1):
        match = re.fullmatch(r'\s*--\s*only:\s*(.*?)\s*', line)
        if match:
            only = match.group(1)
            if only not in (*DIALECTS, 'both'):
                raise Mistake(f'{shown(path)}:{number}: `-- only: {only}` must be sqlite, postgres or both')
        elif line.strip() and not line.strip().startswith('--'):
            for dialect in DIALECTS:
                if only in (dialect, 'both'):
                    lines[dialect].append(line.rstrip())
    if only != 'both':
        raise Mistake(f'{shown(path)}:{number}: `-- only: {only}` is never ended by `-- only: both`')
    for dialect in DIALECTS:
        if not lines[dialect]:
            raise Mistake(f'{shown(path)}:1: there is no statement for {dialect}')
        if not lines[dialect][-1].split('--')[0].rstrip().endswith(';'):
            raise Mistake(f'{shown(path)}:{number}: the last statement for {dialect} must end with a semicolon')
    return lines


def read(paths):
    """(name, hash, lines by dialect) of each file, in the order of their numbers."""
    migrations = []
    for expected, path in enumerate(sorted(paths, key=os.path.basename), 1):
        name = os.path.basename(path)
        if not re.fullmatch(r'[0-9]{4}_[a-z0-9]+(_[a-z0-9]+)+\.sql', name):
            raise Mistake(f'{shown(path)}:1: a migration is named like 0001_create_board.sql: a number, a verb, an object')
        if int(name[:4]) != expected:
            raise Mistake(f'{shown(path)}:1: the number {name[:4]} should be {expected:04}: they go from 0001 without gaps')
        with open(path, 'rb') as stream:
            content = stream.read()
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        migrations.append((name[:-4], digest, split(path, content.decode('utf-8'))))
    return migrations


def literal(lines):
    escaped = [line.replace('\\', '\\\\').replace('"', '\\"').replace('??', '?\\?') for line in lines]
    return '\n'.join(f'         "{line}\\n"' for line in escaped)


def source(name, migrations):
    parts = [f'/* Made from migrations/{name}/ by tools/generate_migrations.py: change nothing there that has landed. */\n'
             '#include "migrations.h"\n\n', f'const migration_t {name}_migrations[] = {{\n']
    for title, digest, lines in migrations:
        parts.append(f'    {{.name = "{title}",\n     .hash = "{digest}",\n     .sqlite =\n{literal(lines["sqlite"])},\n'
                     f'     .postgres =\n{literal(lines["postgres"])}}},\n')
    parts.append('    {.name = NULL},\n' if not migrations else '')
    parts.append(f'}};\n\nconst size_t {name}_migration_count = {len(migrations)};\n')
    return ''.join(parts)


def header(name, count):
    guard = f'FOLKMOOT_{name.upper()}_MIGRATIONS_H'
    return (f'/* Made from migrations/{name}/ by tools/generate_migrations.py. */\n#ifndef {guard}\n#define {guard}\n\n'
            f'#include "core/db/db.h"\n\nextern const migration_t {name}_migrations[{count or 1}];\n'
            f'extern const size_t {name}_migration_count;\n\n#endif\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--name', required=True)
    parser.add_argument('--out', required=True, metavar='DIRECTORY')
    parser.add_argument('files', nargs='*')
    arguments = parser.parse_args()
    try:
        migrations = read(arguments.files)
    except (Mistake, OSError, UnicodeDecodeError) as error:
        sys.exit(str(error))
    os.makedirs(arguments.out, exist_ok=True)
    for ending, text in (('h', header(arguments.name, len(migrations))), ('c', source(arguments.name, migrations))):
        with open(os.path.join(arguments.out, f'migrations.{ending}'), 'w', encoding='utf-8') as stream:
            stream.write(text)


if __name__ == '__main__':
    main()
