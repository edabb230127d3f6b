#!/usr/bin/python3
"""Keeps the house as RFC.md draws it. Every check is a function that yields what is wrong, with its place.

    check_house.py --build build
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODULES = sorted(os.path.basename(os.path.dirname(path)) for path in glob.glob(f'{ROOT}/modules/*/module.c'))
GENERATED = {'api.h', 'queries.h', 'migrations.h'}


def sources(*folders):
    for folder in folders:
        for path in sorted(glob.glob(f'{ROOT}/{folder}/**/*.[chS]', recursive=True)):
            yield os.path.relpath(path, ROOT)


def includes(path):
    with open(f'{ROOT}/{path}', encoding='utf-8') as stream:
        for number, line in enumerate(stream, 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match.group(1), match.group(2)


def arrows_point_one_way():
    """gateway → modules → core; a module sees core, its own folder and what was generated for it; h2o stays in gateway."""
    for path in sources('core', 'modules', 'gateway'):
        place = path.split('/')
        own = os.path.dirname(path)
        for number, kind, name in includes(path):
            where = f'{path}:{number}: includes {name}: '
            if kind == '<':
                if name.startswith('h2o') and place[0] != 'gateway':
                    yield where + 'h2o stops at gateway/'
                continue
            if '..' in name.split('/'):
                yield where + 'no path goes up'
            elif name.startswith('modules/'):
                yield where + "a module's headers are private to its folder"
            elif name.startswith('gateway/') and place[0] != 'gateway':
                yield where + 'only the gateway includes the gateway'
            elif name.startswith('core_') and place[0] != 'core':
                yield where + "core's statements are core's"
            elif not name.startswith(('core/', 'core_', 'gateway/')) and name not in GENERATED \
                    and not os.path.exists(f'{ROOT}/{own}/{name}'):
                yield where + 'neither core, nor of its own folder, nor generated for it'


def symbols(build, pattern):
    """(defined, wanted) global symbols of the objects or archives."""
    defined, wanted = set(), set()
    for path in glob.glob(f'{build}/{pattern}', recursive=True):
        output = subprocess.run(['nm', '-g', path], capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            fields = line.split()
            if len(fields) >= 2 and fields[-2] in 'TDBRCV':
                defined.add(fields[-1])
            elif len(fields) >= 2 and fields[-2] == 'U':
                wanted.add(fields[-1])
    return defined, wanted - defined


def modules_share_nothing(build):
    """No symbol of one module is used by another, and core wants none of anybody."""
    of = {module: symbols(build, f'modules/CMakeFiles/module_{module}*.dir/**/*.o') for module in MODULES}
    core_defined, core_wanted = symbols(build, 'core/libcore.a')
    for module in MODULES:
        if not of[module][0]:
            yield f'modules/{module}: its objects are not in {build}; build first'
        for other in MODULES:
            used = of[module][1] & of[other][0] - core_defined
            if other != module and used:
                yield f'modules/{module}: uses {", ".join(sorted(used))} of modules/{other}'
        used = core_wanted & of[module][0] - core_defined
        if used:
            yield f'core: uses {", ".join(sorted(used))} of modules/{module}'


def sealed_modules_show_one_symbol(build):
    """Linked into the binary, a module shows its descriptor alone."""
    for module in MODULES:
        sealed = glob.glob(f'{build}/**/{module}_sealed.o', recursive=True)
        if not sealed:
            yield f'modules/{module}: there is no sealed object in {build}'
            continue
        defined, _ = symbols(build, os.path.relpath(sealed[0], build))
        if defined != {f'{module}_module'}:
            yield f'modules/{module}: the sealed object shows {", ".join(sorted(defined - {f"{module}_module"})[:5]) or "nothing"}'


def modules_are_tested_alone(build):
    for module in MODULES:
        if not glob.glob(f'{build}/tests/module_{module}_*'):
            yield f'modules/{module}: no test program links it alone (tests/module/{module}/*_test.c)'


def every_module_has_its_skeleton():
    for module in MODULES:
        wanted = [f'modules/{module}/{name}' for name in ('README.md', 'module.c', 'queries.sql', 'internal.h')]
        wanted += [f'openapi/{module}.yaml', f'migrations/{module}']
        for path in wanted:
            if not os.path.exists(f'{ROOT}/{path}'):
                yield f'modules/{module}: {path} is missing'


def generated_code_matches(build):
    """What lies in the build is what the sources give now."""
    tool = ['/usr/bin/python3', '-B']
    with tempfile.TemporaryDirectory() as folder:
        for name in ['core', 'gateway', *MODULES]:
            out = f'{folder}/{name}'
            os.makedirs(out)
            subprocess.run([*tool, f'{ROOT}/tools/generate_api.py', '--c', out, f'{ROOT}/openapi/{name}.yaml'], check=True)
            if os.path.isdir(f'{ROOT}/migrations/{name}'):
                files = sorted(glob.glob(f'{ROOT}/migrations/{name}/*.sql'))
                subprocess.run([*tool, f'{ROOT}/tools/generate_migrations.py', '--name', name, '--out', out, *files], check=True)
        for path in glob.glob(f'{ROOT}/modules/*/queries.sql') + glob.glob(f'{ROOT}/core/*/queries.sql'):
            owner = os.path.basename(os.path.dirname(path))
            name = owner if os.path.relpath(path, ROOT).startswith('modules/') else f'core_{owner}'
            subprocess.run([*tool, f'{ROOT}/tools/generate_queries.py', '--name', name, '--out', f'{folder}/{name}', path], check=True)
        for path in sorted(glob.glob(f'{folder}/**/*.[ch]', recursive=True)):
            there = f'{build}/generated/{os.path.relpath(path, folder)}'
            with open(path, 'rb') as fresh:
                if not os.path.exists(there) or open(there, 'rb').read() != fresh.read():
                    yield f'{os.path.relpath(there, ROOT)}: is not what its source gives; build again'


def every_operation_is_tested():
    """Each operationId is called by an API test, or by the harness for one. A full run checks also that each was really seen."""
    files = [path for folder in ('api', 'harness') for path in glob.glob(f'{ROOT}/tests/{folder}/**/*.ts', recursive=True)]
    tests = ''.join(open(path, encoding='utf-8').read() for path in files)
    live = 'live(' in tests  # the stream has no method: the harness follows it
    for path in sorted(glob.glob(f'{ROOT}/openapi/*.yaml')):
        for number, line in enumerate(open(path, encoding='utf-8'), 1):
            match = re.match(r'\s+operationId:\s*(\w+)', line)
            if match:
                words = match.group(1).split('_')
                method = words[0] + ''.join(word.capitalize() for word in words[1:])
                called = re.search(rf'\b({method}|{match.group(1)})\b', tests) or (match.group(1) == 'follow_live' and live)
                if not called:
                    yield f'{os.path.relpath(path, ROOT)}:{number}: {match.group(1)} is called by no test in tests/api'


def a_machine_that_only_runs_has_what_the_build_requires():
    """Each library that CMake insists on is in a package that `make run` installs."""
    with open(f'{ROOT}/tools/setup.sh', encoding='utf-8') as stream:
        installed = re.search(r'^run="([^"]*)"', stream.read(), re.MULTILINE).group(1).split()
    for path in sorted(glob.glob(f'{ROOT}/CMakeLists.txt') + glob.glob(f'{ROOT}/*/CMakeLists.txt')):
        for number, line in enumerate(open(path, encoding='utf-8'), 1):
            match = re.match(r'\s*pkg_check_modules\(\w+ REQUIRED (?:IMPORTED_TARGET )?([\w.-]+)\)', line)
            if match:
                folder = subprocess.run(['pkg-config', '--variable=pcfiledir', match.group(1)], capture_output=True, text=True, check=True).stdout.strip()
                owner = subprocess.run(['dpkg', '-S', f'{folder}/{match.group(1)}.pc'], capture_output=True, text=True, check=True).stdout.split(':')[0]
                if owner not in installed:
                    yield f'{os.path.relpath(path, ROOT)}:{number}: requires {match.group(1)}, but tools/setup.sh run does not install {owner}'


def nothing_speaks_of_a_machine():
    """No path of one machine and no host of a registry stands in a file of the project."""
    listed = subprocess.run(['git', '-C', ROOT, 'ls-files'], capture_output=True, text=True, check=True).stdout.split('\n')
    bad = re.compile('/' + 'work/|/' + 'root/|registry' + r'\.npm|pypi' + r'\.org|deb\.' + 'debian')
    for path in filter(None, listed):
        if not os.path.isfile(f'{ROOT}/{path}') or '/corpus/' in path:
            continue
        with open(f'{ROOT}/{path}', encoding='utf-8', errors='ignore') as stream:
            for number, line in enumerate(stream, 1):
                if bad.search(line):
                    yield f'{path}:{number}: {line.strip()[:80]}'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default='build')
    build = os.path.abspath(parser.parse_args().build)
    checks = [arrows_point_one_way, modules_share_nothing, sealed_modules_show_one_symbol, modules_are_tested_alone,
              every_module_has_its_skeleton, generated_code_matches, every_operation_is_tested,
              a_machine_that_only_runs_has_what_the_build_requires, nothing_speaks_of_a_machine]
    failed = 0
    for check in checks:
        wrong = list(check(build) if check.__code__.co_argcount else check())
        failed += bool(wrong)
        print(('not ok - ' if wrong else 'ok - ') + check.__name__.replace('_', ' '))
        for line in wrong[:20]:
            print(f'    {line}')
    print(f'{len(checks) - failed} passed, {failed} failed')
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
