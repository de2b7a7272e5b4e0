#!/usr/bin/env python3
"""Random manifests with markers, and what a promotion must make of them.

    setter-property.py SEED CASES generate DIR
        Writes DIR/apps/pN/M.yaml, and prints for each environment pN those
        parts of a document that promote web in it.
    setter-property.py SEED CASES check DIR <DOCUMENTS
        The same files again, as they were left, and the documents that came
        out. Says what is wrong, and ends with 1 where something is.

All comes from SEED, on any machine. A text is put together from pieces, so
that it is known where its marked scalars are. What it means, before and after,
is asked of PyYAML's own parser, which shares no code with libyaml.
"""

import bisect
import json
import os
import random
import re
import sys
from typing import NamedTuple, Optional

import yaml

ENVIRONMENTS = 40
DIGEST = "sha256:" + "b2" * 32
OLD_DIGEST = "sha256:" + "a1" * 32
# What is promoted; every second environment gets a random tag instead.
VERSIONS = ["v2", "1.10", DIGEST, "v2@" + DIGEST, "1234", "1e3", "2024-01-01", "0x1F", "true", "null", "1.2.3", "08"]
VERSIONS += ["0o17", "no", "20240101@" + DIGEST, "1_000", "sha512:" + "c3" * 64, "a8b91c33", "0.5", "_x"]
OLD_TAGS = ["v1", "1.0", "1234", "latest", "2024-01-01", "0.0.1-rc.1_x", "v1.2.3", "null", "off", "1e3", "5", "0x1f"]
REPOSITORIES = ["web", "r/web", "ghcr.io/acme/web", "localhost:5000/web", "registry.example.org:5000/acme/team/web"]
REPOSITORIES += ["192.168.0.1:5000/a--b/c__d/e.f_g", "GHCR.io/acme/web"]
PLAIN_KEYS = ["name", "web", "größe", "ключ", "日本", "🚀", "a b", "x-y", "a#b", "w" * 300]
QUOTED_KEYS = PLAIN_KEYS + ["it's", 'say "hi"', "1", "true", ""]
PLAIN = ["a", "r/web:v1", "1.0", "~", "größe", "http://x/#frag", "r/web:v1#x", "-1", "日本🚀"]
# Strings that hold what looks like a marker, or like the beginning of a comment.
TRICKY = ['r/web:v1 # {"$imagepolicy": "apps:web"}', '# {"$imagepolicy": "apps:web:tag"}', "a # b", "#", "{{ x }}", "a: b"]

BREAK = re.compile("\r\n|[\n\r]")
CORE_1_2 = re.compile(
    r"(~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))?"
)
BOOL_1_1 = re.compile(r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
# What only a reader that follows neither version to the letter takes for something else: quotes or not, both are right.
OTHER_READERS = re.compile(
    r"[-+]?[0-9._]*_[0-9._]*([eE][-+]?[0-9_]+)?|[-+]?0_*[BbOoXx][0-9A-Fa-f_]+|[-+]?[0-9]+(:[0-9]+)+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|(?i:true|false|null|yes|no|on|off)"
)
RESOLVER = yaml.SafeLoader("")


def is_string(text):
    """Whether YAML 1.1 takes it for one where it stands without quotes."""
    return RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str"


def needs_quotes(text):
    return not is_string(text) or bool(CORE_1_2.fullmatch(text)) or bool(BOOL_1_1.fullmatch(text))


def split_version(version):
    """(tag, digest), one of which may be empty."""
    if "@" in version:
        return tuple(version.split("@"))
    return ("", version) if ":" in version else (version, "")


def version_text(version):
    return "@".join(part for part in version if part)


def image(repository, version):
    tag, digest = version
    return repository + (":" + tag if tag else "") + ("@" + digest if digest else "")


class Marked(NamedTuple):
    """A marked scalar: its place in characters, and the value to come; None where nothing may change."""

    start: int
    end: int
    style: str
    value: str
    to: Optional[str]
    tagged: bool

    def outcomes(self):
        """All that may stand there afterwards."""
        if self.style:
            return [self.style + self.to + self.style]
        quoted = '"%s"' % self.to
        if self.tagged or OTHER_READERS.fullmatch(self.to):
            return [quoted, self.to]
        return [quoted] if needs_quotes(self.to) else [self.to]


class Case:
    """One text and its marked scalars, in order."""

    def __init__(self, seed, version):
        self.random = random.Random(seed)
        self.version = split_version(version)
        self.parts, self.size, self.line_start = [], 0, 0
        self.marked, self.anchors, self.anchored = [], 0, []
        self.newline = self.pick(["\n"] * 6 + ["\r\n"] * 3 + ["\r"])
        self.stream()
        self.text = "".join(self.parts)

    def pick(self, items):
        return items[self.random.randrange(len(items))]

    def maybe(self, percent):
        return self.random.randrange(100) < percent

    def put(self, *texts):
        for text in texts:
            if text == self.newline:
                self.line_start = self.size + len(text)
            self.parts.append(text)
            self.size += len(text)

    def column(self):
        return self.size - self.line_start

    def blanks(self):
        return "".join(self.pick("     \t") for _ in range(self.pick([1, 1, 1, 2, 4])))

    # Comments

    def json_string(self, text):
        if self.maybe(10):
            return '"%s"' % "".join("\\u%04x" % ord(c) if c in '"\\' or self.maybe(30) else c for c in text)
        return json.dumps(text, ensure_ascii=self.maybe(50))

    def marker(self, kind="", policy="apps:web"):
        members = [("$imagepolicy", policy + kind)]
        if self.maybe(10):
            members.append(("note", self.pick(["", "größe", "x # y", '"', "{}"])))
        if self.maybe(10):
            members.insert(0, ("a", "apps:web"))
        gap = self.pick(["", " ", " ", " ", "\t", "  \t"])
        body = ["%s%s:%s%s" % (self.json_string(k), self.pick(["", "", gap]), gap, self.json_string(v)) for k, v in members]
        inner = self.pick(["", "", gap])
        hashes = "#" * self.pick([1, 1, 1, 1, 2, 5])
        return hashes + gap + "{" + inner + ("," + gap).join(body) + inner + "}" + self.pick(["", "", "", " ", "\t "])

    def comment(self):
        """One that is no marker of web."""
        marker = self.marker()
        return self.pick(
            [
                "#",
                "# größe",
                "#\t{}",
                "# see " + marker,
                marker + " keep",
                marker + " " + self.marker(),
                self.marker(policy="apps:web2"),
                self.marker(":tag", "apps:other"),
                self.marker(":tags"),
                "# {'$imagepolicy': 'apps:web'}",
                '# {"$imagepolicy": "apps:web", "n": 1}',
                '# {"$imagepolicy": ["apps:web"]}',
                '# {"$imagepolicy": "apps:web"',
                '# "$imagepolicy": "apps:web"',
            ]
        )

    def comment_or_marker(self):
        return self.pick([self.comment(), self.marker(self.pick(["", ":tag", ":digest"]))])

    def filler(self, indent):
        """Lines between entries; a marker on a line of its own marks nothing."""
        while self.maybe(12):
            if self.maybe(60):
                self.put(" " * self.pick([indent, indent, 0, indent + 3]), self.comment_or_marker())
            self.put(self.newline)

    # Scalars

    def quote(self, style, value):
        if style == '"':
            return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
        return "'%s'" % value.replace("'", "''") if style else value

    def properties(self, tags=True):
        """An anchor, a tag, both or neither; whether there is a tag."""
        words = []
        tag = tags and self.maybe(8)
        if tag:
            words.append(self.pick(["!!str", "!custom", "!<tag:yaml.org,2002:str>", "!"]))
        if self.maybe(8):
            self.anchors += 1
            self.anchored.append("a%d" % self.anchors)
            words.insert(self.random.randrange(2), "&a%d" % self.anchors)
        for word in words:
            self.put(word, self.pick([" ", " ", "  "]))
        return tag

    def values(self, kind, beside):
        """What stands there and what comes (None: nothing); beside: a marked digest is in the same mapping."""
        tag, digest = self.version
        repository = self.pick(REPOSITORIES)
        old = (self.pick(["", self.pick(OLD_TAGS), self.pick(OLD_TAGS), tag]), self.pick(["", "", OLD_DIGEST, digest]))
        if kind == ":name":
            return image(repository, old), None
        if kind == ":digest":
            if beside and not digest:
                return "", None  # a tag beside an old digest is refused
            return self.pick([OLD_DIGEST, OLD_DIGEST, digest or OLD_DIGEST, ""]), digest or None
        if kind == "" or ("/" in repository and self.maybe(15)):
            return image(repository, old), image(repository, self.version)
        if beside:
            return old[0] or "v1", tag or None
        # A tag becomes no digest.
        return version_text(old) if tag else OLD_DIGEST, version_text(self.version)

    def scalar(self, kinds, beside=False):
        """A marked scalar; hands out its marker."""
        kind = self.pick(kinds)
        value, to = self.values(kind, beside)
        style = self.pick(["", "", '"', "'"] if value else ['"', "'"])
        tagged = self.properties(tags=bool(value))
        start = self.size
        self.put(self.quote(style, value))
        self.marked.append(Marked(start, self.size, style, value, to, tagged))
        return self.marker(kind)

    # A mapping holds a marked digest only where it is meant to, as that changes what its tags become.
    IN_LIST = ["", "", ":tag", ":tag", ":digest", ":name"]
    IN_MAPPING = ["", "", "", ":tag", ":tag", ":name"]

    def other_scalar(self, indent, flow=False):
        """One that nobody marks; whether a comment may follow on its line."""
        pick = self.random.randrange(6 if flow else 9)
        if pick == 0 and self.anchored:
            self.put("*" + self.pick(self.anchored), " ")
        elif pick <= 2:
            self.properties()
            self.put(self.quote(self.pick("\"'"), self.pick(TRICKY + QUOTED_KEYS)))
        elif pick <= 4:
            self.put(self.pick(PLAIN))
        elif pick == 5:
            self.put('"', self.pick(TRICKY).replace('"', '\\"'), self.newline, " " * (indent + 2), 'more"')
        elif pick == 6:
            self.put("several", self.newline, " " * (indent + 2), "plain lines")
        else:
            self.block_scalar(indent)
            return False
        return True

    def block_scalar(self, indent):
        self.put(self.pick(["|", ">", "|-", ">+"]))
        if self.maybe(30):
            self.put(" ", self.comment())
        lines = ['image: r/web:v1 # {"$imagepolicy": "apps:web"}', "größe", '# {"$imagepolicy": "apps:web"}']
        for i in range(self.pick([1, 2, 3])):
            self.put(self.newline, " " * (indent + 2), self.pick(lines + [" x"] if i else lines))

    # Collections

    def flow(self, indent, depth):
        """A flow collection over lines; a marker stands before or behind its scalar's comma."""
        mapping = self.maybe(50)
        inner = " " * (indent + self.pick([2, 3, 6]))
        self.put("{ " if mapping else "[ ")
        for i in range(self.pick([1, 2, 3])):
            if i and self.maybe(50):
                self.put(self.newline, inner)
            if mapping:
                self.put(self.pick(["k%d", "'k%d'", "größe%d"]) % i, ": ")
            elif self.maybe(15):
                self.put("größe, ")
            self.flow_item(indent, inner, depth, self.IN_MAPPING if mapping else self.IN_LIST)
        self.put("}" if mapping else "]")

    def flow_item(self, indent, inner, depth, kinds):
        pick = self.random.randrange(10)
        if pick < 6:
            marker = self.scalar(kinds)
            if self.maybe(75):
                self.put(self.pick(["", "", " "]), ",", self.blanks(), marker, self.newline, inner)
            else:
                self.put(self.blanks(), marker, self.newline, inner, ", ")
        elif pick < 8 and depth < 2:
            self.flow(indent + 2, depth + 1)
            self.put(self.blanks(), self.marker(), self.newline, inner, ", ")
        else:
            self.other_scalar(indent + 6, flow=True)
            self.put(", ")
            if self.maybe(40):
                self.put(self.comment(), self.newline, inner)

    def marker_without_scalar(self):
        if self.maybe(40):
            # A tab may stand here, but no common parser (libyaml, go-yaml, PyYAML) takes it.
            self.put(self.pick([" ", "   "]), self.marker())
        self.put(self.newline)

    def value(self, indent, depth, kinds):
        """What stands behind "key:" or "-", with the end of its last line."""
        pick = self.random.randrange(20)
        if pick < 10:
            self.put(self.pick([" ", " ", "   "]))
            if self.maybe(12):
                self.put(self.newline, " " * (indent + 2))
            marker = self.scalar(kinds)
            self.put("" if self.marked[-1].style and self.maybe(10) else self.blanks(), marker, self.newline)
        elif pick < 12:
            self.put(" ")
            self.flow(indent, 0)
            self.put(self.blanks(), self.comment_or_marker(), self.newline)
        elif pick < 15 and depth < 4:
            self.marker_without_scalar()
            self.pick([self.mapping, self.sequence])(indent + 2, depth + 1)
        elif pick < 16:
            self.marker_without_scalar()
        else:
            self.put(" ")
            if self.other_scalar(indent) and self.maybe(30):
                self.put(self.blanks(), self.comment())
            self.put(self.newline)

    def key(self):
        if self.maybe(60):
            self.put(self.pick(PLAIN_KEYS[:-1] if self.maybe(95) else PLAIN_KEYS))
        else:
            self.put(self.quote(self.pick("\"'"), self.pick(QUOTED_KEYS[:-1] + TRICKY)))

    def entry(self, indent, depth):
        pick = self.random.randrange(20)
        if pick == 0:
            self.put("? ")
            self.key()
            if self.maybe(50):
                self.put(self.blanks(), self.marker())
            self.put(self.newline, " " * indent, ":")
        elif pick == 1:
            self.version_in_parts(indent)
            return
        else:
            if self.maybe(4):
                self.put("!!str ")
            self.key()
            self.put(":")
        self.value(indent, depth, self.IN_MAPPING)

    def version_in_parts(self, indent):
        """A tag with its digest beside it, as Helm and kustomize have them, or the digest alone."""
        self.put("image:", self.newline)
        for kind in self.pick([[":tag", ":digest"], [":digest", ":tag"], [":digest"]]):
            self.put(" " * (indent + 2), kind[1:], ": ")
            marker = self.scalar([kind], beside=True)
            self.put(self.blanks(), marker, self.newline)

    def mapping(self, indent, depth):
        for _ in range(self.pick([1, 2, 2, 3])):
            self.filler(indent)
            self.put(" " * indent)
            self.entry(indent, depth)

    def sequence(self, indent, depth):
        for _ in range(self.pick([1, 2, 3])):
            self.filler(indent)
            self.put(" " * indent, "-")
            while self.maybe(8):
                self.put(" -")
            if self.maybe(25):
                self.put(self.pick([" ", "   "]))
                column = self.column()
                self.entry(column, depth + 1)
                if self.maybe(50):
                    self.mapping(column, depth + 1)
            else:
                self.value(self.column() - 1, depth, self.IN_LIST)

    def stream(self):
        if self.maybe(15):
            self.put("\ufeff")
            self.line_start = self.size
        self.filler(0)
        directive = self.maybe(10)
        if directive:
            self.put("%YAML 1." + self.pick("12"), self.newline)
        for i in range(self.pick([1, 1, 1, 2, 3])):
            self.document(explicit=i or directive or self.maybe(20))
        if self.maybe(15) and self.parts[-1] == self.newline:
            self.parts.pop()

    def document(self, explicit):
        self.anchored = []
        if explicit:
            self.put("---")
        if explicit and self.maybe(15):
            self.put(" ")
            marker = self.scalar(self.IN_LIST)
            self.put(self.blanks(), marker, self.newline)
        else:
            if explicit:
                self.put(self.pick(["", " # x", " " + self.marker()]), self.newline)
            self.pick([self.mapping, self.mapping, self.mapping, self.sequence])(0, 0)
        if self.maybe(10):
            self.put("...", self.pick(["", " # x"]), self.newline)


def promoted(seed, env):
    """What goes to an environment."""
    if env % 2 == 0:
        return VERSIONS[env // 2 % len(VERSIONS)]
    r = random.Random("%s/tag/%d" % (seed, env))
    length = r.randrange(6)
    characters = "0123456789abcdefnty_ABCDEFNTY" + "xoXOE.-" * 2
    return "".join(characters[r.randrange(len(characters) if i else 29)] for i in range(length + 1))


def cases(seed, count):
    """(path, version, case) of each."""
    for i in range(count):
        env = i % ENVIRONMENTS
        version = promoted(seed, env)
        yield "apps/p%d/%d.yaml" % (env, i // ENVIRONMENTS), version, Case("%s/%d" % (seed, i), version)


def generate(seed, count, directory):
    for path, _, case in cases(seed, count):
        path = os.path.join(directory, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(case.text.encode())
    for env in range(min(count, ENVIRONMENTS)):
        promotion = {"type": "promote", "group": "apps", "app": "web", "env": "p%d" % env, "sha": "", "feature": ""}
        promotion["tag"] = promoted(seed, env)
        environment = {"name": promotion["env"], "auto": False, "previous": None}
        print(json.dumps({"promotion": promotion, "environment": environment}))
    return 0


class Wrong(Exception):
    pass


def follow(case, after):
    """Goes through the bytes that came out: the marked scalars as (place behind it, its bytes, Marked)."""
    found, i, j = [], 0, 0
    for m in case.marked:
        if after[j : j + m.start - i] != case.text[i : m.start]:
            raise Wrong("bytes before %r changed" % case.text[m.start : m.end])
        j += m.start - i
        allowed = [case.text[m.start : m.end]] if m.to is None else m.outcomes()
        # What stands behind a scalar is no part of a longer one.
        new = next((text for text in allowed if after.startswith(text + case.text[m.end : m.end + 1], j)), None)
        if new is None:
            raise Wrong("%r became %r..., not %r" % (case.text[m.start : m.end], after[j : j + 30], allowed))
        i, j = m.end, j + len(new)
        found.append((j, new, m))
    if after[j:] != case.text[i:]:
        raise Wrong("bytes behind the last marked scalar changed")
    return found


def parse(text, ends):
    """What the parser sees, and which of it are the scalars that end at ends. PyYAML wants blanks where tabs are right."""
    seen, numbers = [], []
    for e in yaml.parse(text.replace("\t", " "), Loader=yaml.SafeLoader):
        seen.append([type(e)] + [getattr(e, name, None) for name in ("anchor", "tag", "version", "value", "style")])
        if isinstance(e, yaml.ScalarEvent) and e.end_mark.index in ends:
            numbers.append(len(seen) - 1)
    return seen, numbers


def check(case, after):
    found = follow(case, after)
    old, numbers = parse(case.text, {m.end for m in case.marked})
    new, same_numbers = parse(after, {end for end, _, _ in found})
    if len(numbers) != len(case.marked) or numbers != same_numbers:
        raise Wrong("the marked scalars are not where they were")
    for number, (_, text, m) in zip(numbers, found):
        if old[number][4] != m.value:
            raise Wrong("the marked scalar %r was %r" % (m.value, old[number][4]))
        if m.to is not None and new[number][5] is None and not m.tagged and not is_string(text):
            raise Wrong("%r is no string" % text)
        if m.to is not None:
            old[number][4:] = [m.to, new[number][5]]
    if old != new:
        raise Wrong("%r became %r" % next((a, b) for a, b in zip(old + [None], new + [None]) if a != b))
    return found


def edits(case, found):
    """The (line, from, to) that a document has to tell of."""
    lines = [m.end() for m in BREAK.finditer(case.text)]
    for _, text, m in found:
        if case.text[m.start : m.end] != text:
            yield bisect.bisect_right(lines, m.start) + 1, m.value, m.to


def check_all(seed, count, directory):
    told, wrong, changed, scalars = {}, 0, 0, 0
    for document in map(json.loads, sys.stdin):
        if "error" in document:
            wrong += 1
            print("%s: %s" % (document["promotion"]["env"], document["error"]["message"]))
        for f in (document.get("change") or {}).get("files", []):
            told.setdefault(f["path"], []).append((f["line"], f["from"], f["to"]))
    for path, version, case in cases(seed, count):
        with open(os.path.join(directory, path), "rb") as f:
            after = f.read().decode()
        try:
            want = list(edits(case, check(case, after)))
            if told.get(path, []) != want:
                raise Wrong("the document tells of %r, not of %r" % (told.get(path), want))
            scalars += len(want)
        except (Wrong, yaml.YAMLError) as e:
            wrong += 1
            print("%s at %s: %s" % (path, version, e))
        changed += after != case.text
    print("%d texts, %d changed in %d scalars, %d wrong" % (count, changed, scalars, wrong))
    return 1 if wrong or not changed else 0


def main(seed, count, verb, directory):
    return {"generate": generate, "check": check_all}[verb](seed, int(count), directory)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
