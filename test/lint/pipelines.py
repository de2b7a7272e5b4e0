#!/usr/bin/env python3
"""pipelines.py FILE...: holds files for Azure Pipelines to the JSON schema that Microsoft publishes for them.

The schema is written for a parser to which every scalar is a string, and a template's file is as good as a pipeline's.
check-jsonschema carries it, of a known version; `make lint-tools` puts that into build/tools/python.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "build/tools/python"))

import check_jsonschema
import jsonschema
import ruamel.yaml


def leaves(error):
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from leaves(inner)


def main(paths):
    vendored = pathlib.Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor/azure-pipelines.json"
    schema = json.loads(vendored.read_text())
    # An image of Azure's own registry is told by `registry` and `repository` instead:
    # https://learn.microsoft.com/azure/devops/pipelines/process/resources#define-a-containers-resource
    schema["definitions"]["containerResource"]["required"] = ["container"]
    validator = jsonschema.Draft7Validator(schema)
    bad = False
    for path in paths:
        document = ruamel.yaml.YAML(typ="base", pure=True).load(pathlib.Path(path))
        for error in validator.iter_errors(document):
            # Of all alternatives that do not fit, the one that fits furthest says what is wrong.
            leaf = max(leaves(error), key=lambda e: len(e.absolute_path))
            print(f"{path}: {'.'.join(map(str, leaf.absolute_path))}: {leaf.message}")
            bad = True
    return bad


sys.exit(main(sys.argv[1:]))
