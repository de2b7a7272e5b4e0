"""GraphQL's query language, as far as clients use it: https://spec.graphql.org/October2021/#sec-Language

parse(text) is a Document: operations and fragments by name. Every node knows the line and column it began at.
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r'(?P<skip>[\s,\ufeff]+|\#[^\n\r]*)|(?P<punct>\.\.\.|[!$&()\[\]{}:=@|])|(?P<name>[_A-Za-z][_0-9A-Za-z]*)'
    r'|(?P<float>-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))|(?P<int>-?(?:0|[1-9]\d*))'
    r'|(?P<block>"""(?:\\"""|[^"]|"(?!""))*""")|(?P<string>"(?:\\.|[^"\\\n])*")'
)
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class SyntaxProblem(Exception):
    def __init__(self, message, at):
        super().__init__(message)
        self.at = at


@dataclass
class Variable:
    name: str
    at: dict


@dataclass
class Enum:
    name: str


@dataclass
class Type:
    """name, or of: the item's type of a list."""

    name: str
    of: "Type" = None
    required: bool = False

    def __str__(self):
        return (f"[{self.of}]" if self.of else self.name) + ("!" if self.required else "")


@dataclass
class Field:
    name: str
    alias: str
    arguments: dict
    directives: dict
    selections: list
    at: dict

    @property
    def key(self):
        return self.alias or self.name


@dataclass
class Spread:
    """A named fragment (name), or an inline one (on may be None, selections)."""

    name: str
    on: str
    directives: dict
    selections: list
    at: dict


@dataclass
class Operation:
    kind: str
    name: str
    variables: dict  # name -> (Type, default or None)
    selections: list
    at: dict


@dataclass
class Document:
    operations: dict = field(default_factory=dict)
    fragments: dict = field(default_factory=dict)


class Parser:
    def __init__(self, text):
        self.tokens = list(self.lex(text))
        self.next = 0

    @staticmethod
    def lex(text):
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            line = text.count("\n", 0, at) + 1
            place = {"line": line, "column": at - text.rfind("\n", 0, at)}
            if not match:
                raise SyntaxProblem(f"Expected one of SCHEMA, SCALAR, ..., actual: UNKNOWN_CHAR ({text[at]!r})", place)
            at = match.end()
            if match.lastgroup != "skip":
                yield match.lastgroup, match.group(), place
        yield "end", "", {"line": text.count("\n") + 1, "column": 1}

    def peek(self, text=None, kind=None):
        token = self.tokens[self.next]
        return token[1] == text and token[0] not in ("string", "block") if text else token[0] == kind

    def take(self, text=None, kind=None):
        found = self.tokens[self.next]
        if not self.peek(text, kind):
            what = found[1] or "end of document"
            raise SyntaxProblem(f'Parse error on "{what}" ({found[0].upper()}), expected {text or kind}', found[2])
        self.next += 1
        return found[1]

    def may(self, text):
        if self.peek(text):
            self.next += 1
            return True
        return False

    def place(self):
        return self.tokens[self.next][2]

    def document(self):
        found = Document()
        while not self.peek(kind="end"):
            at = self.place()
            if self.peek("fragment"):
                self.take("fragment")
                name = self.take(kind="name")
                self.take("on")
                on = self.take(kind="name")
                found.fragments[name] = Spread(name, on, self.directives(), self.selections(), at)
                continue
            one = self.operation(at)
            if one.name in found.operations:
                raise SyntaxProblem(f"Operation name {one.name!r} must be unique", at)
            found.operations[one.name] = one
        if not found.operations:
            raise SyntaxProblem("A query attribute must be specified and must be a string.", self.place())
        return found

    def operation(self, at):
        if self.peek("{"):
            return Operation("query", None, {}, self.selections(), at)
        kind = self.take(kind="name")
        if kind not in ("query", "mutation"):
            raise SyntaxProblem(f'Parse error on "{kind}" (IDENTIFIER)', at)
        name = self.take(kind="name") if self.peek(kind="name") else None
        variables = {}
        if self.may("("):
            while not self.may(")"):
                self.take("$")
                variable = self.take(kind="name")
                self.take(":")
                kind_of = self.type()
                variables[variable] = (kind_of, self.value() if self.may("=") else None)
        self.directives()
        return Operation(kind, name, variables, self.selections(), at)

    def type(self):
        if self.may("["):
            inner = self.type()
            self.take("]")
            return Type(None, inner, self.may("!"))
        return Type(self.take(kind="name"), None, self.may("!"))

    def selections(self):
        found = []
        self.take("{")
        while not self.may("}"):
            found.append(self.selection())
        if not found:
            raise SyntaxProblem('Parse error on "}" (RCURLY)', self.place())
        return found

    def selection(self):
        at = self.place()
        if self.may("..."):
            if self.peek(kind="name") and not self.peek("on"):
                return Spread(self.take(kind="name"), None, self.directives(), None, at)
            on = self.take(kind="name") if self.may("on") else None
            return Spread(None, on, self.directives(), self.selections(), at)
        name, alias = self.take(kind="name"), None
        if self.may(":"):
            name, alias = self.take(kind="name"), name
        arguments, directives = self.arguments(), self.directives()
        return Field(name, alias, arguments, directives, self.selections() if self.peek("{") else [], at)

    def arguments(self):
        found = {}
        if self.may("("):
            while not self.may(")"):
                name = self.take(kind="name")
                self.take(":")
                found[name] = self.value()
        return found

    def directives(self):
        found = {}
        while self.may("@"):
            name = self.take(kind="name")
            found[name] = self.arguments()
        return found

    def value(self):
        kind, text, at = self.tokens[self.next]
        self.next += 1
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind == "string":
            return unquote(text[1:-1])
        if kind == "block":
            return text[3:-3].replace('\\"""', '"""').strip("\n")
        if kind == "name":
            return {"true": True, "false": False, "null": None}.get(text, Enum(text))
        if text == "$":
            return Variable(self.take(kind="name"), at)
        if text == "[":
            items = []
            while not self.may("]"):
                items.append(self.value())
            return items
        if text == "{":
            members = {}
            while not self.may("}"):
                name = self.take(kind="name")
                self.take(":")
                members[name] = self.value()
            return members
        raise SyntaxProblem(f'Parse error on "{text}"', at)


def unquote(text):
    def one(match):
        if match.group(1):
            return chr(int(match.group(1), 16))
        return ESCAPES.get(match.group(2), match.group(2))

    text = re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", one, text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parse(text):
    return Parser(text).document()
