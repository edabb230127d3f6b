#!/usr/bin/python3
"""Makes of openapi/*.yaml what C and TypeScript need.

    generate_api.py --c DIRECTORY openapi/forum.yaml            api.h and api.c
    generate_api.py --typescript FILE openapi/*.yaml            one client for all
    generate_api.py --merge FILE openapi/*.yaml                 one OpenAPI document of all, JSON
"""
import argparse
import json
import os
import sys

import generate_api_c
import generate_api_typescript
from generate_api_json import merged_document
from generate_api_model import Mistake
from generate_api_read import read_documents


def write(path, text):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(text)


def run(arguments):
    core, documents = read_documents(arguments.documents)
    if arguments.c:
        for document in documents or [core]:
            header, source = generate_api_c.Writer(document).files()
            write(os.path.join(arguments.c, 'api.h'), header)
            write(os.path.join(arguments.c, 'api.c'), source)
        return
    merged = merged_document(core, documents)
    if arguments.typescript:
        write(arguments.typescript, generate_api_typescript.client([core, *documents]))
    if arguments.merge:
        write(arguments.merge, json.dumps(merged, ensure_ascii=False, indent=2) + '\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--c', metavar='DIRECTORY')
    parser.add_argument('--typescript', metavar='FILE')
    parser.add_argument('--merge', metavar='FILE')
    parser.add_argument('documents', nargs='+')
    arguments = parser.parse_args()
    if not (arguments.c or arguments.typescript or arguments.merge):
        parser.error('say what to make: --c, --typescript or --merge')
    if arguments.c and len(arguments.documents) > 1:
        parser.error('--c takes one document')
    try:
        run(arguments)
    except (Mistake, OSError) as error:
        sys.exit(str(error))


if __name__ == '__main__':
    main()
