"""A forge with a repository and a clone, in which a flow can be run, as often as one likes, from the same beginning.

A lane's directory is made by test/fire/faults.bash; its file "env" has the environment in which gp runs, NUL behind each
variable. What is put back: the forge's copy of the repository, the clone, and, where the forge is a server, the server.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import relay
from proxy import FAULTS, Proxy

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST = 60  # seconds that a run may take


class Run:
    """What became of a flow; between: what stood between it and the forge."""

    def __init__(self, status, out, err, between):
        self.status, self.out, self.err = status, out, err
        self.hit, self.points, self.told = between.hit, list(between.points), list(between.told)


def read_env(path):
    with open(path, "rb") as f:
        pairs = [item.decode().split("=", 1) for item in f.read().split(b"\0") if b"=" in item]
    return dict(pairs)


def put_back(source, target):
    """Makes target what source is, without a touch to what is so already."""
    wanted = {e.name: e for e in os.scandir(source)}
    for e in os.scandir(target):
        w = wanted.get(e.name)
        if e.is_dir(follow_symlinks=False):
            if not (w and w.is_dir(follow_symlinks=False)):
                shutil.rmtree(e.path)
        elif not w or (e.stat().st_mtime_ns, e.stat().st_size) != (w.stat().st_mtime_ns, w.stat().st_size):
            os.unlink(e.path)
    for name, w in wanted.items():
        path = f"{target}/{name}"
        if w.is_dir(follow_symlinks=False):
            if not os.path.isdir(path):
                os.mkdir(path)
            put_back(w.path, path)
        elif not os.path.exists(path):
            shutil.copy2(w.path, path)


class Lane:
    """common to all forges; a subclass knows how to get between gp and the forge."""

    def __init__(self, directory):
        self.dir = directory
        self.plain = read_env(directory + "/env")
        self.name = self.plain["GP_PROVIDER"]
        self.remote, self.clone = self.plain["REMOTE"], self.plain["CLONE"]
        self.env = {**self.plain, "GP_VERBOSE": "-1"}
        self.process = None
        # Another checkout of the same, in which others work.
        self.beside = directory + "/beside"
        shutil.copytree(self.clone, self.beside, symlinks=True)
        self.prepare()
        for what, path in (("remote", self.remote), ("clone", self.clone)):
            shutil.rmtree(path + "/hooks" if what == "remote" else path + "/.git/hooks/none", ignore_errors=True)
            subprocess.run(["git", "-C", path, "-c", "gc.packRefs=true", "gc", "--quiet"], env=self.plain, check=True)
            shutil.copytree(path, f"{directory}/first.{what}", symlinks=True)

    def restore(self):
        for what, path in (("remote", self.remote), ("clone", self.clone)):
            put_back(f"{self.dir}/first.{what}", path)

    def run(self, command, budget=0, timeout=1, env=None):
        """One run of a command of gp's, in a process group of its own, in the clone."""
        env = {**(env or self.env), "GP_RETRY_BUDGET": str(budget), "GP_TIMEOUT": str(timeout), "GP_RUN": self.dir}
        self.process = subprocess.Popen(
            command,
            cwd=self.clone,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = self.process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
        return self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace")

    def let_pass(self, seconds):
        """As if so much time had passed since git took the locks that are there."""
        for path in (self.remote, self.clone + "/.git"):
            for directory, _, files in os.walk(path):
                for name in files:
                    if name.endswith(".lock"):
                        then = os.stat(f"{directory}/{name}").st_mtime - seconds
                        os.utime(f"{directory}/{name}", (then, then))

    def temporary(self):
        """Files that somebody wanted to take away again, and how many locks git was only just making."""
        found = []
        for path in (self.remote, self.clone):
            for directory, directories, files in os.walk(path):
                found += [f"{directory}/{n}" for n in directories + files if re.search(r"^\.?tmp[_-]|\.lock$", n)]
        # git itself cannot be sure of what it is only just making: a quarantine, which it prunes some day, and a lock,
        # which is empty until git has noted that it is to be taken away (create_tempfile_mode in its tempfile.c); gp's
        # next run does that. gp-forge.lock is to stay.
        found = [f for f in found if not re.search(r"/gp-forge\.lock$|/tmp_objdir-incoming-", f)]
        just_made = [f for f in found if f.endswith(".lock") and os.stat(f).st_size == 0]
        return [f for f in found if f not in just_made], len(just_made)

    def survivors(self):
        """Processes of the last run, told by its environment, that are still there a moment later."""
        mark = f"GP_RUN={self.dir}".encode()
        for _ in range(50):
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/environ", "rb") as f:
                        is_ours = mark in f.read().split(b"\0")
                    with open(f"/proc/{pid}/cmdline", "rb") as f:
                        words = f.read().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                # What has ended and is not yet asked for has no words.
                if is_ours and words:
                    found.append(words)
            if not found:
                break
            time.sleep(0.02)
        return found

    def fsck(self):
        """What git has to say of both repositories: nothing."""
        said = ""
        for path in (self.remote, self.clone):
            words = ["git", "-C", path, "fsck", "--full", "--strict", "--no-dangling", "--no-progress"]
            done = subprocess.run(words, env=self.plain, capture_output=True, text=True, check=False)
            said += done.stdout + done.stderr
        return said

    def run_beside(self, command):
        """Another run while one is under way; nothing is between it and the forge."""
        env = {**self.plain, "GP_VERBOSE": "-1"}
        done = subprocess.run(
            command, cwd=self.beside, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)

    def ask(self, requests):
        """What the forge itself says to each request of gp-forge(7)."""
        repository = {"url": self.plain["FORGE_URL"], "base": "main", "provider": self.name}
        text = "".join(json.dumps({"id": 1, "repository": repository, **r}) + "\n" for r in requests)
        done = subprocess.run(
            ["gp-forge-" + self.name], input=text, env=self.plain, capture_output=True, text=True, check=True
        )
        replies = [json.loads(line) for line in done.stdout.splitlines()]
        assert all("result" in r for r in replies) and len(replies) == len(requests), done.stdout
        return [r["result"] for r in replies]

    def neutral(self, text):
        """Without what differs between lanes and between runs: addresses, and ids that hang on the time of day."""
        for name, value in self.addresses():
            text = text.replace(value, name)
        return re.sub(r"\b[0-9a-f]{7,40}\b", "ID", text)

    def branches(self):
        """Of the forge's copy of the repository: each branch's commit, and, the same in all lanes, what it says."""
        words = ["git", "-C", self.remote, "for-each-ref", "refs/heads"]
        words.append("--format=%(objectname) %(refname:strip=2) %(tree) %(contents)%00")
        done = subprocess.run(words, env=self.plain, capture_output=True, text=True, check=True)
        found = [line.split(" ", 3) for line in done.stdout.split("\0\n") if line]
        # Of main its content alone: in which order two were merged, is chance. (In capitals it is no id to neutral().)
        lines = [f"{name} {tree.upper()} {text if name != 'main' else ''}" for _, name, tree, text in found]
        return {name: oid for oid, name, _, _ in found}, lines

    def state(self, most):
        """All that people see there, of pull requests up to one beyond `most`."""
        heads, lines = self.branches()
        found = self.ask([{"op": "find-pr", "number": n} for n in range(1, most + 2)])
        pulls = [p for result in found for p in result["pull_requests"]]
        commits = sorted(set(heads.values()) | {p["head"] for p in pulls})
        statuses = self.ask([{"op": "list-statuses", "commits": commits}])[0]["statuses"]
        for p in pulls:
            at_branch = heads.get(p["branch"]) == p["head"]
            shown = [p[k] for k in ("number", "state", "branch", "base", "auto_merge", "title", "description")]
            # What stood on the head of a merged one has done its work.
            stands = self.newest(statuses.get(p["head"], [])) if p["state"] == "open" else None
            lines.append(json.dumps([*shown, at_branch, stands]))
        lines.append(json.dumps(self.newest(statuses[heads["main"]])))
        return self.neutral("\n".join(lines))

    @staticmethod
    def newest(statuses):
        newest = {}
        for s in reversed(statuses):
            newest[s["context"]] = (s["state"], s["description"])
        return sorted(newest.items())

    def left(self):
        """Files in the way of nobody, or so we hope: everything but objects."""
        found = []
        for path in (self.remote, self.clone + "/.git"):
            for directory, _, files in os.walk(path):
                short = os.path.relpath(directory, path)
                if not re.match(r"objects/(..|pack)$", short) and not short.startswith("logs"):
                    found += [f"{short}/{re.sub('_[A-Za-z0-9]{6}$', '', f)}" for f in files]
        return sorted(found)

    def git(self, *words, data=None):
        """What git prints in the forge's own copy of the repository."""
        words = ["git", "-C", self.remote, *words]
        return subprocess.run(words, env=self.plain, capture_output=True, text=True, input=data, check=True).stdout

    def person(self, *words):
        """A person at work, in a clone of their own."""
        words = ["git", "-C", self.plain["SEED"], *words]
        done = subprocess.run(words, env=self.plain, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def person_commits(self, path, text, branch):
        """They push a commit to a branch: text at the top of a file. Returns its id."""
        self.person("fetch", "--quiet", "origin", "refs/heads/" + branch)
        self.person("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
        path = f"{self.plain['SEED']}/{path}"
        with open(path, encoding="utf-8") as f:
            text += f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        self.person("add", path)
        self.person("commit", "--quiet", "-m", "change " + path)
        self.person("push", "--quiet", "origin", "HEAD:refs/heads/" + branch)
        return self.person("rev-parse", "HEAD")

    def trace(self, done):
        """What a run has brought about, by what the forge was told and what git shows; enough to tell two apart."""
        return self.neutral(repr((self.branches()[1], done.told))), *self.left()


class Server(Lane):
    """A forge that is a server: gp is sent to a proxy."""

    faults = [*FAULTS, "refused"]
    passing = [*FAULTS]

    def prepare(self):
        self.real = re.match(r"http://[^/]*", self.plain["FORGE_URL"])[0]
        self.proxy = Proxy(self.real)
        for name, value in self.env.items():
            if name.startswith("GP_") or name.startswith("FORGE_"):
                self.env[name] = value.replace(self.real, self.proxy.url)
        url = self.plain["FORGE_URL"].replace(self.real, self.proxy.url)
        subprocess.run(["git", "-C", self.clone, "remote", "set-url", "origin", url], env=self.plain, check=True)
        control = socket.socket(socket.AF_UNIX)
        control.connect(self.dir + "/snapshot")
        self.control = control.makefile("rw")
        self.order("snapshot")

    def order(self, what):
        self.control.write(what + "\n")
        self.control.flush()
        assert self.control.readline() == "ok\n"

    def restore(self):
        super().restore()
        self.order("restore")

    def addresses(self):
        return (("FORGE", self.real), ("FORGE", self.proxy.url))

    def try_(self, command, point=None, fault=None, budget=0, timeout=1, points=()):
        """Runs it with a fault at a point, of those that a clean run had; a fault may be a function of the Exchange."""
        if fault == "refused":
            at = points.index(point)
            self.proxy.arm(point, before=points[at - 1] if at else "")
        else:
            self.proxy.arm(point, FAULTS.get(fault, fault))
        try:
            return Run(*self.run(command, budget, timeout), self.proxy)
        finally:
            self.proxy.disarm()

    def meddle(self, action, after=False):
        """A fault: something else happens before the request is answered, or when it has taken effect."""

        def fault(x):
            if not after:
                action()
            reply = x.forward()
            if after:
                action()
            x.hear(reply)
            x.answer(*reply)

        return fault


class Pipe(Lane):
    """A forge that is a program, and git's own transport over a pipe."""

    faults = list(relay.FAULTS)
    git_faults = list(relay.GIT_FAULTS)
    # A driver is not asked twice.
    passing = []

    def prepare(self):
        exec_path = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
        own = self.dir + "/git-core"
        os.mkdir(own)
        for name in os.listdir(exec_path):
            if name not in ("git-upload-pack", "git-receive-pack"):
                os.symlink(f"{exec_path}/{name}", f"{own}/{name}")
        os.mkdir(self.dir + "/bin")
        for path in ("bin/gp-forge-faulty", "git-core/git-upload-pack", "git-core/git-receive-pack"):
            os.symlink(self.plain["GP_BUILD"] + "/faulty-driver", f"{self.dir}/{path}")
        self.between = relay.Relay(self.dir + "/relay", "gp-forge-" + self.name, exec_path)
        self.env.update(
            GP_PROVIDER="faulty",
            GP_FAULTY=self.dir + "/relay",
            GIT_EXEC_PATH=own,
            PATH=f"{self.dir}/bin:{self.env['PATH']}",
        )

    def addresses(self):
        return (("FORGE", self.dir),)

    def try_(self, command, point=None, fault=None, budget=0, timeout=1, points=()):
        """Runs it with a fault at a point; a fault may be a function, which is called when the request comes."""
        self.between.env, self.between.cwd = {**self.plain, "GP_RETRY_BUDGET": str(budget)}, self.clone
        self.between.arm(point, fault)
        try:
            return Run(*self.run(command, budget, timeout), self.between)
        finally:
            self.between.disarm()

    def meddle(self, action, after=False):
        assert not after
        return action

    def run_freely(self, command):
        """With nothing between gp and the forge."""
        return self.run(command, env={**self.plain, "GP_VERBOSE": "-1"})

    def ended(self, status):
        """A Run of which nothing else is known."""
        return Run(status, "", "", self.between)

    def refs(self):
        words = ["git", "-C", self.remote, "for-each-ref", "--format=%(refname) %(tree)"]
        return subprocess.run(words, env=self.plain, capture_output=True, text=True, check=True).stdout


def open_lane(directory):
    return (Pipe if read_env(directory + "/env")["GP_PROVIDER"] == "local" else Server)(directory)
