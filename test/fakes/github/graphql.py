"""Answers GraphQL requests: parses, checks the document against the types, runs it. https://docs.github.com/graphql"""

import json
import re

import graphql_types as schema
from access import Refusal
from graphql_language import Enum, Field, SyntaxProblem, Variable, parse

MAX_NODES = 500_000  # https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api


class Problems(Exception):
    def __init__(self, errors):
        super().__init__()
        self.errors = errors


class Context:
    def __init__(self, forge, token, web):
        self.forge, self.token, self.web = forge, token, web
        self.variables, self.document, self.errors = {}, None, []


def answer(forge, render, request, token):
    """The JSON body of the answer; its status is 200 whatever happens."""
    try:
        body = json.loads(request.body)
        query = body["query"]
        given = body.get("variables") or {}
        if not isinstance(query, str) or not isinstance(given, dict):
            raise ValueError
    except (ValueError, KeyError, TypeError) as e:
        raise Refusal(400, "Problems parsing JSON") from e
    try:
        return run(Context(forge, token, render.web), query, given, body.get("operationName"))
    except Problems as e:
        return {"errors": e.errors}
    except SyntaxProblem as e:
        return {"errors": [{"message": str(e), "locations": [e.at]}]}


def run(ctx, query, given, name):
    ctx.document = parse(query)
    operations = ctx.document.operations
    if name is None and len(operations) == 1:
        operation = next(iter(operations.values()))
    elif name in operations:
        operation = operations[name]
    else:
        raise Problems([{"message": f"No operation named {json.dumps(name)}"}])
    root = {"query": "Query", "mutation": "Mutation"}[operation.kind]
    Check(ctx, operation).document(root)
    ctx.variables = variables(operation, given)
    data = select(ctx, root, None, operation.selections, [])
    return {"data": data, **({"errors": ctx.errors} if ctx.errors else {})}


# What is wrong with a document before it runs


class Check:
    def __init__(self, ctx, operation):
        self.ctx, self.operation = ctx, operation
        self.errors, self.used, self.spread, self.nodes = [], set(), set(), 0

    def problem(self, path, at, message, code, **more):
        self.errors.append(
            {"path": path, "extensions": {"code": code, **more}, "locations": [at], "message": message}
        )

    def document(self, root):
        operation = self.operation
        start = [operation.kind + (f" {operation.name}" if operation.name else "")]
        self.selections(root, operation.selections, start, 1)
        for name in operation.variables:
            if name not in self.used:
                text = f"Variable ${name} is declared by {operation.name or 'anonymous ' + operation.kind} but not used"
                self.problem(start, operation.at, text, "variableNotUsed", variableName=name)
        for name, fragment in self.ctx.document.fragments.items():
            if name not in self.spread:
                text = f"Fragment {name} was defined, but not used"
                self.problem([f"fragment {name}"], fragment.at, text, "useAndDefineFragment", fragmentName=name)
        if self.nodes > MAX_NODES and not self.errors:
            text = f"This query requests up to {self.nodes:,} possible nodes"
            text += f" which exceeds the maximum limit of {MAX_NODES:,}."
            self.errors.append({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": text})
        if self.errors:
            raise Problems(self.errors)

    def values(self, value, path, at):
        if isinstance(value, Variable):
            self.used.add(value.name)
            if value.name not in self.operation.variables:
                text = f"Variable ${value.name} is used by {self.operation.name or 'anonymous query'} but not declared"
                self.problem(path, at, text, "variableNotDefined", variableName=value.name)
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self.values(one, path, at)

    def selections(self, kind, selections, path, many):
        for one in selections:
            for arguments in one.directives.values():
                self.values(arguments, path, one.at)
            if isinstance(one, Field):
                self.field(kind, one, [*path, one.key], many)
                continue
            on, inner = one.on, one.selections
            if one.name:
                fragment = self.ctx.document.fragments.get(one.name)
                if not fragment:
                    text = f"Fragment {one.name} was used, but not defined"
                    self.problem(path, one.at, text, "useAndDefineFragment", fragmentName=one.name)
                    continue
                self.spread.add(one.name)
                on, inner = fragment.on, fragment.selections
            on = on or kind
            if on not in schema.TYPES and on not in schema.UNIONS:
                text = f"No such type {on}, so it can't be a fragment condition"
                self.problem([*path, f"... on {on}"], one.at, text, "undefinedType", typeName=on)
            else:
                self.selections(on, inner, [*path, f"... on {on}"], many)

    def field(self, kind, one, path, many):
        if one.name == "__typename":
            return
        known = schema.TYPES.get(kind, {}).get(one.name)
        if not known:
            text = f"Field '{one.name}' doesn't exist on type '{kind}'"
            self.problem(path, one.at, text, "undefinedField", typeName=kind, fieldName=one.name)
            return
        for name, value in one.arguments.items():
            self.values(value, path, one.at)
            if name not in known.arguments:
                text = f"Field '{one.name}' doesn't accept argument '{name}'"
                more = {"name": one.name, "typeName": "Field", "argumentName": name}
                self.problem([*path, name], one.at, text, "argumentNotAccepted", **more)
            else:
                self.literal(value, known.arguments[name], [*path, name], one, name)
        missing = [n for n, t in known.arguments.items() if t.endswith("!") and n not in one.arguments]
        if missing:
            text = f"Field '{one.name}' is missing required arguments: {', '.join(missing)}"
            more = {"className": "Field", "name": one.name, "arguments": ", ".join(missing)}
            self.problem(path, one.at, text, "missingRequiredArguments", **more)
        composite = known.name in schema.TYPES or known.name in schema.UNIONS
        if composite != bool(one.selections):
            text = f"Selections can't be made on scalars (field '{one.name}' returns {known.name} but has selections)"
            if composite:
                why = f"returns {known.name} but has no selections. Did you mean '{one.name} {{ ... }}'?"
                text = f"Field must have selections (field '{one.name}' {why})"
            self.problem(path, one.at, text, "selectionMismatch", nodeName=f"field '{one.name}'", typeName=known.name)
            return
        if "first" in known.arguments:
            size = one.arguments.get("first", one.arguments.get("last"))
            many *= size if isinstance(size, int) else 100
            self.nodes += many
        self.selections(known.name, one.selections, path, many)

    def literal(self, value, wanted, path, one, name):
        """A value in the document itself; those of variables are judged when they are known, but their types here."""
        if isinstance(value, Variable):
            declared = self.operation.variables.get(value.name)
            if declared and str(declared[0]) not in (wanted, wanted.rstrip("!") + "!") and declared[1] is None:
                text = f"Type mismatch on variable ${value.name} and argument {name} ({declared[0]} / {wanted})"
                self.problem(path, one.at, text, "variableMismatch", variableName=value.name, argumentName=name)
            return
        try:
            if not isinstance(value, (dict, list)):
                coerce(value.name if isinstance(value, Enum) else value, wanted)
        except ValueError:
            text = f"Argument '{name}' on Field '{one.name}' has an invalid value ({value!r})."
            text += f" Expected type '{wanted}'."
            self.problem(path, one.at, text, "argumentLiteralsIncompatible", typeName="Field", argumentName=name)


def variables(operation, given):
    found, errors = {}, []
    for name, (kind, default) in operation.variables.items():
        value = given.get(name, plain(default, {}))
        try:
            found[name] = coerce(value, str(kind))
        except ValueError as e:
            text = f"Variable ${name} of type {kind} was provided invalid value"
            problems = [{"path": [], "explanation": str(e)}]
            errors.append(
                {"extensions": {"value": value, "problems": problems}, "locations": [operation.at], "message": text}
            )
    if errors:
        raise Problems(errors)
    return found


def coerce(value, kind):
    """The value as one of the type; ValueError says why it is none."""
    if value is None:
        if kind.endswith("!"):
            raise ValueError("Expected value to not be null")
        return None
    kind = kind.rstrip("!") if not kind.startswith("[") else kind.rstrip("!")
    if kind.startswith("["):
        return [coerce(item, kind[1:-1]) for item in (value if isinstance(value, list) else [value])]
    if kind in schema.ENUMS:
        if value not in schema.ENUMS[kind]:
            raise ValueError(f"Expected {value!r} to be one of: {', '.join(schema.ENUMS[kind])}")
        return value
    if kind in schema.INPUTS:
        members = schema.INPUTS[kind]
        if not isinstance(value, dict) or set(value) - set(members):
            raise ValueError(f"{value!r} is no {kind}: Field is not defined on {kind}")
        return {name: coerce(value.get(name), of) for name, of in members.items() if name in value or of.endswith("!")}
    if kind == "GitObjectID" and not (isinstance(value, str) and re.fullmatch("[0-9a-f]{40}", value)):
        raise ValueError(f"{value!r} is not a valid GitObjectID")
    wanted = {"Int": int, "Boolean": bool, "String": str, "ID": str}.get(kind, str)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ValueError(f"Could not coerce value {value!r} to {kind}")
    return value


def plain(value, given):
    if isinstance(value, Variable):
        return given.get(value.name)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, list):
        return [plain(v, given) for v in value]
    if isinstance(value, dict):
        return {k: plain(v, given) for k, v in value.items() if not (isinstance(v, Variable) and v.name not in given)}
    return value


# Running it


def fields(ctx, kind, selections, into):
    """The fields asked of an object, by their keys; those of fragments that apply among them."""
    for one in selections:
        skip = plain(one.directives.get("skip", {}), ctx.variables).get("if", False)
        include = plain(one.directives.get("include", {}), ctx.variables).get("if", True)
        if skip or not include:
            continue
        if isinstance(one, Field):
            into.setdefault(one.key, []).append(one)
            continue
        source = ctx.document.fragments[one.name] if one.name else one
        if source.on in (None, kind) or kind in schema.UNIONS.get(source.on, ()):
            fields(ctx, kind, source.selections, into)
    return into


def select(ctx, kind, value, selections, path):
    asked = fields(ctx, kind, selections, {})
    return {key: resolve(ctx, kind, value, of, [*path, key]) for key, of in asked.items()}


def resolve(ctx, kind, value, asked, path):
    one = asked[0]
    if one.name == "__typename":
        return kind
    known = schema.TYPES[kind][one.name]
    try:
        args = plain(one.arguments, ctx.variables)
        args = {name: coerce(args[name], of) for name, of in known.arguments.items() if name in args}
        if known.needs:
            ctx.token.require(known.needs)
        found = known.resolve(ctx, value, args) if known.resolve else getattr(value, one.name)
        if isinstance(found, schema.Connection):
            found = schema.cut(found, args, one.name)
    except Refusal as e:
        ctx.errors.append(said(e, path, one.at))
        return None
    except ValueError as e:
        ctx.errors.append({"path": path, "locations": [one.at], "message": str(e)})
        return None
    return complete(ctx, known.name, found, [s for a in asked for s in a.selections], path, one.at)


def complete(ctx, kind, found, selections, path, at):
    if found is None or not selections:
        return found
    if isinstance(found, list):
        return [complete(ctx, kind, item, selections, [*path, i], at) for i, item in enumerate(found)]
    if kind in schema.UNIONS:
        kind = schema.type_of(found)
    # No permission covers check runs for a fine-grained personal token: each of them is null, with an error of its own.
    # https://github.com/cli/cli/issues/12597
    if kind == "CheckRun" and not ctx.token.allows("checks=read"):
        try:
            ctx.token.require("checks=read")
        except Refusal as e:
            ctx.errors.append(said(e, path, at))
            return None
    return select(ctx, kind, found, selections, path)


def said(refusal, path, at):
    error = {"type": refusal.kind, "path": path, "locations": [at], "message": refusal.message}
    if refusal.kind == "FORBIDDEN":
        error["extensions"] = {"saml_failure": False}
    return error
