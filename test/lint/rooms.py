#!/usr/bin/env python3
"""rooms.py OBJECTS: holds common/ and bin/ to the table in test/lint/rooms, by what files include and by what the objects
below the directory OBJECTS call. Also: no circle of files that call each other."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^#\s*include\s*([<"])([^>"]+)[>"]')


class Table:
    def __init__(self, path):
        self.rank, self.offers, self.owners = {}, {}, {}
        for line in path.read_text().splitlines():
            if line.startswith("<"):
                header, *files = line.split()
                self.owners[header[1:]] = files
            elif line and not line.startswith("#"):
                room, rest = line.split(":")
                headers, _, beside = rest.partition(", beside ")
                self.rank[room] = self.rank[beside] if beside else len(self.rank)
                self.offers[room] = set(headers.split())

    def may_see(self, room, other):
        return room == other or room == "bin" or self.rank[other] < self.rank[room]


def room_of(path):
    """The room of a path below the top, such as common/forges/azdo/pull.c; None for one that lies in no room."""
    parts = path.split("/")
    return "bin" if parts[0] == "bin" else "/".join(parts[1:-1]) or None


def check_includes(table, path, complain):
    room = room_of(path)
    if room not in table.rank and room != "bin":
        complain(f"{path}: lies in no room of test/lint/rooms")
        return
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        where, (kind, name) = f"{path}:{number}", found.groups()
        if kind == "<":
            for header, files in table.owners.items():
                if name.startswith(header) and path.removeprefix("common/") not in files:
                    complain(f"{where}: <{name}> is for {' '.join(files)} alone")
            continue
        other, _, header = name.rpartition("/")
        if other not in table.rank or not (ROOT / "common" / name).exists():
            complain(f'{where}: "{name}" is no header of a room')
        elif not table.may_see(room, other):
            complain(f"{where}: {room} may not include {other}")
        elif room != other and header.removesuffix(".h") not in table.offers[other]:
            complain(f'{where}: "{name}" is private to {other}')


def calls(objects):
    """Which source file uses which: pairs of paths, each with one of the symbols."""
    home, uses = {}, []
    for path in sorted(objects.rglob("*.o")):
        source = str(path.relative_to(objects).with_suffix(".c"))
        if not source.startswith(("common/", "bin/")):
            continue
        for line in subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines():
            *_, kind, symbol = line.split()
            if symbol.startswith("gp_"):
                if kind == "U":
                    uses.append((source, symbol))
                else:
                    home[symbol] = source
    return {(source, home[symbol]): symbol for source, symbol in uses}


def check_calls(table, pairs, complain):
    for (source, target), symbol in sorted(pairs.items()):
        if not table.may_see(room_of(source), room_of(target)):
            complain(f"{source}: calls {symbol} of {target}, which is above it")


def check_circles(pairs, complain):
    after = {}
    for source, target in pairs:
        if source != target:
            after.setdefault(source, set()).add(target)
    done, way = set(), []

    def walk(file):
        if file in way:
            circle = way[way.index(file):] + [file]
            complain("circle: " + " -> ".join(f"{a} ({pairs[a, b]})" for a, b in zip(circle, circle[1:])))
            return
        if file in done:
            return
        way.append(file)
        for target in sorted(after.get(file, ())):
            walk(target)
        way.pop()
        done.add(file)

    for file in sorted(after):
        walk(file)


def main(objects):
    wrong = []
    table = Table(ROOT / "test/lint/rooms")
    files = [*ROOT.glob("common/**/*.[ch]"), *ROOT.glob("bin/*.c")]
    for path in sorted(files):
        check_includes(table, str(path.relative_to(ROOT)), wrong.append)
    pairs = calls(pathlib.Path(objects))
    if not pairs:
        wrong.append(f"no objects below {objects}")
    check_calls(table, pairs, wrong.append)
    check_circles(pairs, wrong.append)
    for line in wrong:
        print(line)
    return bool(wrong)


sys.exit(main(sys.argv[1]))
