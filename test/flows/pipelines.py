"""As much of Azure Pipelines as the pipelines in scripts/ci/azure need: what its server makes of a file, and what its
agent makes of a job's log. https://learn.microsoft.com/azure/devops/pipelines/process/runs

  pipelines.py steps FILE GP-DIRECTORY [NAME=VALUE ...]   the steps of a pipeline's job, as JSON, one a line
  pipelines.py agent <LOG                                 what the commands in a log do, as JSON
"""
import json
import os
import re
import sys

import yaml


def load(path):
    with open(path) as file:
        return yaml.load(file, yaml.BaseLoader)


def bind(declared, given):
    """The parameters of a file: those that are given, else their defaults."""
    values = {}
    for parameter in declared:
        name = parameter["name"]
        if name not in given and "default" not in parameter:
            sys.exit(f"a value for the parameter '{name}' must be provided")
        values[name] = given.get(name, parameter.get("default"))
        if "values" in parameter and values[name] not in parameter["values"]:
            sys.exit(f"the value '{values[name]}' of the parameter '{name}' is not a valid one")
    unexpected = set(given) - set(values)
    if unexpected:
        sys.exit(f"unexpected parameters: {unexpected}")
    return values


def expand(node, parameters):
    """Template expressions, of which there is one kind: a parameter's value. It is a value, and no YAML again."""
    if isinstance(node, dict):
        return {key: expand(value, parameters) for key, value in node.items()}
    if isinstance(node, list):
        return [expand(value, parameters) for value in node]
    text = re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda match: parameters[match[1]], node)
    return text


def steps(pipeline, gp, given):
    document = load(pipeline)
    document = expand(document, bind(document.get("parameters", []), given))
    (job,) = document["jobs"]
    (repository,) = document["resources"]["repositories"]
    for step in job["steps"]:
        path, alias = step["template"].split("@")
        if alias != repository["repository"]:
            sys.exit(f"no repository resource '{alias}'")
        template = load(os.path.join(gp, path))
        yield from expand(template["steps"], bind(template["parameters"], step.get("parameters", {})))


def unescape(text):
    for escape, character in (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%")):
        text = text.replace(escape, character)
    return text


def agent(log):
    """The agent looks for one command in a line, wherever it begins:
    https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Microsoft.VisualStudio.Services.Agent/Command.cs
    """
    done = {"issues": [], "outputs": {}, "summaries": [], "commands": 0}
    for line in re.split(r"\r\n|\r|\n", log):
        match = re.search(r"##vso\[(\w+\.\w+)(?: ([^\]]*))?\](.*)", line)
        if not match:
            if "##vso" in line:
                sys.exit(f"the agent warns of: {line}")
            continue
        done["commands"] += 1
        properties = dict(pair.split("=", 1) for pair in (match[2] or "").split(";") if pair)
        data = unescape(match[3])
        if match[1] == "task.logissue":
            done["issues"].append(f"{properties['type']}: {data}")
        elif match[1] == "task.setvariable":
            if properties.get("isOutput") != "true":
                sys.exit(f"a variable of the whole job: {line}")
            done["outputs"][properties["variable"]] = data
        elif match[1] == "task.uploadsummary":
            with open(data) as file:
                done["summaries"].append(file.read())
        else:
            sys.exit(f"a command that gp does not give: {line}")
    return done


if sys.argv[1] == "agent":
    print(json.dumps(agent(open(0, newline="").read())))
else:
    for one in steps(sys.argv[2], sys.argv[3], dict(pair.split("=", 1) for pair in sys.argv[4:])):
        print(json.dumps(one))
