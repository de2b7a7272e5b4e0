#!/usr/bin/env python3
"""Random histories over the embedded forge, and what has to hold in each of them.

  histories.py DIRECTORY SEED COUNT         that many histories; the first that breaks a promise is shrunk and printed
  histories.py DIRECTORY --replay 'EVENT …' one history, as it was printed

A history is a list of events: releases, jobs (late, twice, killed, lost), Flux, which reports the newest commit and
sometimes lies, and people, who edit, take back, close, push onto branches and merge. After each event:

  - each promotion whose gate is green is exactly its app's tag, and the environment before has the version now, was
    reported healthy with it, and not unhealthy since;
  - what was merged from a promotion changes that tag and nothing else;
  - no branch has two open pull requests.

At the end, when all jobs have run and Flux has told the truth: a release that is good, the newest of its app, and that
nobody disturbed, is in dev and qa, and in prod or waiting there with a green gate.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ENVS = ("dev", "qa", "prod")
APPS = ("web", "api")
EVENTS = {
    "new": 6, "late": 1, "promote": 5, "missing": 2, "refresh": 5, "flux": 7, "lie": 1, "info": 1, "edit": 2,
    "neighbour": 2, "back": 1, "close": 1, "push": 1, "merge": 3, "kill": 2, "both": 1,
}


class Broken(Exception):
    pass


def make(rng):
    """A history: the flow, then events with the number that each takes its choices from."""
    names, weights = zip(*EVENTS.items())
    chosen = rng.choices(names, weights, k=rng.randint(4, 16))
    return [f"{rng.choice(('per-app', 'per-env'))}:0"] + [f"{name}:{rng.randrange(1000)}" for name in chosen]


class World:
    def __init__(self, directory, flow):
        self.dir = directory
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        self.remote, self.clone = directory + "/remote.git", directory + "/clone"
        self.env = {
            **os.environ,
            **{"GP_VERBOSE": "-1", "GP_RETRY_BUDGET": "5", "HOME": directory},
            **{f"GIT_{who}_NAME": "E" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "e@example.com" for who in ("AUTHOR", "COMMITTER")},
        }
        self.number, self.released, self.disturbed = 0, {app: [] for app in APPS}, set()
        self.told = []  # what Flux said: (env, commit, state), the newest last
        self.seen_merges, self.ran_to = set(), None
        self.git("init", "--quiet", "--bare", "--initial-branch=main", self.remote, at=directory)
        files = {"gitops-promotion.yaml": f"prflow: {flow}\norder: none\nenvironments:\n"
                 + "".join(f"  - {{name: {e}, auto: {'false' if e == 'prod' else 'true'}}}\n" for e in ENVS)}
        for env in ENVS:
            lines = [f"  {app}: r/{app}:v0 # {{\"$imagepolicy\": \"apps:{app}\"}}\n" for app in APPS]
            files[f"apps/{env}/all.yaml"] = "images:\n" + "".join(lines) + "  replicas: 1\n"
        self.commit(files, "the beginning")
        self.git("config", "gp.requiredStatus", "gp/gate")
        self.git("clone", "--quiet", "file://" + self.remote, self.clone, at=directory)
        self.ran_to = self.tip()

    # Hands

    def git(self, *words, at=None, data=None):
        done = subprocess.run(["git", "-C", at or self.remote, *words], env=self.env, input=data, capture_output=True,
                              encoding="utf-8", check=False)
        if done.returncode:
            raise RuntimeError(f"git {words}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, files, message, ref="refs/heads/main"):
        look = ["git", "-C", self.remote, "rev-parse", "-q", "--verify", ref]
        has = subprocess.run(look, env=self.env, capture_output=True, check=False).returncode == 0
        stream = f"commit {ref}\ncommitter P <p@example.com> {int(time.time())} +0000\ndata {len(message)}\n{message}\n"
        stream += f"from {ref}^0\n" if has else ""
        for path, text in files.items():
            stream += f"M 644 inline {path}\ndata {len(text.encode())}\n{text}\n"
        self.git("fast-import", "--quiet", "--force", data=stream)

    def tip(self):
        return self.git("rev-parse", "refs/heads/main")

    def text(self, env, rev="refs/heads/main"):
        return self.git("show", f"{rev}:apps/{env}/all.yaml") + "\n"

    def tag(self, app, env, rev="refs/heads/main"):
        found = re.search(rf"r/{app}:(\S+) #", self.text(env, rev))
        return found[1] if found else None

    def ask(self, op, **more):
        repository = {"provider": "local", "url": "file://" + self.remote, "base": "main"}
        line = json.dumps({"id": 1, "op": op, "repository": repository, **more}) + "\n"
        done = subprocess.run(["gp-forge-local"], env=self.env, input=line, capture_output=True, check=False, encoding="utf-8")
        return json.loads(done.stdout)

    def open(self):
        return self.ask("find-pr", open=True)["result"]["pull_requests"]

    def run(self, *command, allowed=(0,), wait=True):
        self.git("fetch", "--quiet", "origin", at=self.clone)
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            command, cwd=self.clone, env=self.env, encoding="utf-8", start_new_session=True, **pipes
        )
        if not wait:
            return process
        out, err = process.communicate(timeout=60)
        if process.returncode not in allowed:
            raise Broken(f"{' '.join(command)}: exit {process.returncode}: {err}")
        return out

    # Events

    def do(self, event):
        name, number = event.split(":")
        getattr(self, "do_" + name)(random.Random(int(number)))
        self.check(judged=name == "refresh")

    def new_words(self, rng):
        app = rng.choice(APPS)
        self.number += 1
        tag = f"v{self.number}"
        # Where it is bad: nowhere, mostly.
        self.released[app].append((tag, rng.choice((None, None, None, "dev", "qa"))))
        return "gp-new", "--group", "apps", "--app", app, "--tag", tag

    def do_new(self, rng):
        self.run(*self.new_words(rng))

    def do_late(self, rng):
        app = rng.choice(APPS)
        if self.released[app]:
            tag = rng.choice(self.released[app])[0]
            self.disturbed.add(app)
            self.run("gp-new", "--group", "apps", "--app", app, "--tag", tag)

    def do_promote(self, rng):
        since = self.ran_to
        if rng.random() < 0.8:
            self.ran_to = self.tip()
        self.run("gp-promote", "--since", since, allowed=(0, 69, 75))

    def do_missing(self, _):
        self.run("gp-promote", "--missing", allowed=(0, 69, 75))

    def do_refresh(self, _):
        self.run("gp-refresh")

    def healthy(self, env):
        return all((self.tag(app, env), env) not in self.released[app] for app in APPS)

    def post(self, env, state, description):
        commit = self.tip()
        context = f"kustomization/apps-{env}/0c9c2e41"
        self.ask("set-status", commit=commit, context=context, state=state, description=description, url=None)
        self.told.append((env, commit, state))

    def do_flux(self, rng):
        env = rng.choice(ENVS)
        good = self.healthy(env)
        said = ("success", "reconciliation succeeded") if good else ("failure", "health check failed")
        self.post(env, *said)

    def do_lie(self, rng):
        self.post(rng.choice(ENVS), "failure", "health check failed")

    def do_info(self, rng):
        env = rng.choice(ENVS)
        said = {"state": "success", "description": "dependency not ready", "url": None}
        self.ask("set-status", commit=self.tip(), context=f"kustomization/apps-{env}/0c9c2e41", **said)

    def do_edit(self, rng):
        self.commit({"README.md": f"{rng.random()}\n"}, "a person's edit")

    def do_neighbour(self, rng):
        env = rng.choice(ENVS)
        text = re.sub(r"replicas: .*", f"replicas: {rng.randrange(1000)}", self.text(env))
        self.commit({f"apps/{env}/all.yaml": text}, "scale")

    def do_back(self, rng):
        app, env = rng.choice(APPS), rng.choice(ENVS)
        past = ["v0"] + [tag for tag, _ in self.released[app]]
        now = self.tag(app, env)
        older = past[: past.index(now)] if now in past else []
        if older:
            self.disturbed.add(app)
            text = self.text(env).replace(f"r/{app}:{now} ", f"r/{app}:{rng.choice(older)} ")
            self.commit({f"apps/{env}/all.yaml": text}, "take back")

    def some_open(self, rng):
        pulls = self.open()
        if not pulls:
            return None
        pull = rng.choice(pulls)
        said = re.search(r'"app":"(\w+)"', pull["description"])
        if said:
            self.disturbed.add(said[1])
        return pull

    def do_close(self, rng):
        pull = self.some_open(rng)
        if pull:
            self.git("update-ref", "-d", "refs/heads/" + pull["branch"])

    def do_push(self, rng):
        pull = self.some_open(rng)
        if pull:
            self.commit({"NOTES.md": f"{rng.random()}\n"}, "a person's push", "refs/heads/" + pull["branch"])

    def do_merge(self, rng):
        pulls = self.open()
        if pulls:
            pull = rng.choice(pulls)
            self.ask("merge-pr", number=pull["number"], head=pull["head"], method="merge")

    def do_kill(self, rng):
        """A job that dies is red, and is run again."""
        kind = rng.choice(("new", "promote", "refresh"))
        words = self.new_words(rng) if kind == "new" else ("gp-refresh",)
        if kind == "promote":
            words = ("gp-promote", "--since", self.ran_to)
        process = self.run(*words, wait=False)
        time.sleep(rng.random() * 0.12)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()
        self.run(*words, allowed=(0, 69))

    def do_both(self, rng):
        commands = [self.new_words(rng), self.new_words(rng) if rng.random() < 0.5 else ("gp-promote", "--missing")]
        for process in [self.run(*words, wait=False) for words in commands]:
            _, err = process.communicate(timeout=60)
            if process.returncode not in (0, 75):
                raise Broken(f"two at once: exit {process.returncode}: {err}")

    # Promises

    def check(self, judged=False):
        """judged: only the gate was judged since the last look, so what merged did so by this verdict."""
        pulls = self.open()
        branches = [p["branch"] for p in pulls]
        if len(set(branches)) != len(branches):
            raise Broken(f"two open pull requests of a branch: {branches}")
        self.check_merges(judged)

    def check_gates(self):
        """Right after a job has judged: what is green deserves it."""
        for pull in self.open():
            statuses = self.ask("list-statuses", commits=[pull["head"]])["result"]["statuses"][pull["head"]]
            state = next((s["state"] for s in statuses if s["context"] == "gp/gate"), None)
            said = re.search(r'"app":"(\w+)","tag":"(\S+?)","env":"(\w+)"', pull["description"])
            if state == "success" and said:
                self.check_green(pull, *said.groups())

    def check_green(self, pull, app, tag, env):
        what = f"#{pull['number']} ({app} {tag} to {env}) is green"
        base = self.git("merge-base", "main", pull["head"])
        if self.text(env, pull["head"]) != re.sub(rf"r/{app}:\S+ #", f"r/{app}:{tag} #", self.text(env, base)):
            raise Broken(f"{what}, but is not its tag alone")
        if self.git("diff", "--name-only", base, pull["head"]) != f"apps/{env}/all.yaml":
            raise Broken(f"{what}, but changes other files")
        self.check_evidence(what, app, tag, env, "main")

    def check_evidence(self, what, app, tag, env, rev):
        if env == ENVS[0]:
            return
        before = ENVS[ENVS.index(env) - 1]
        if self.taken_back(app, tag, before, rev):
            raise Broken(f"{what}, but {before} went back to {self.tag(app, before, rev)}")
        said = self.verdict(app, tag, before, rev)
        if said != "success":
            raise Broken(f"{what}, but Flux last said {said} of {before}")

    def past(self, app, env, rev):
        """(commit, tag) of each commit, newest first."""
        return [(commit, self.tag(app, env, commit)) for commit in self.git("rev-list", "--first-parent", rev).split()]

    def taken_back(self, app, tag, env, rev):
        """Whether the environment has again what it had before it had this version."""
        past = self.past(app, env, rev)
        tags = [has for _, has in past]
        return tag != tags[0] and (tag not in tags or tags[0] in tags[tags.index(tag) :])

    def verdict(self, app, tag, env, rev):
        """The last word of Flux on a commit of the newest run in which the environment has this version."""
        run = []
        for commit, has in self.past(app, env, rev):
            if has == tag:
                run.append(commit)
            elif run:
                break
        for commit in run:
            said = [state for e, c, state in self.told if e == env and c == commit]
            if said:
                return said[-1]
        return "nothing"

    def check_merges(self, judged):
        for line in self.git("log", "--first-parent", "--format=%H %P", "main").split("\n"):
            merge, *parents = line.split()
            if merge in self.seen_merges:
                break
            self.seen_merges.add(merge)
            message = self.git("log", "-1", "--format=%B", parents[1]) if len(parents) == 2 else ""
            trailer = re.search(r'Gp-Promotion: .*"app":"(\w+)","tag":"(\S+?)","env":"(\w+)"', message)
            if not trailer:
                continue
            app, tag, env = trailer.groups()
            if self.git("diff", "--name-only", parents[0], merge) != f"apps/{env}/all.yaml":
                raise Broken(f"the merge of {app} {tag} to {env} changes other files")
            if self.text(env, merge) != re.sub(rf"r/{app}:\S+ #", f"r/{app}:{tag} #", self.text(env, parents[0])):
                raise Broken(f"the merge of {app} {tag} to {env} changes more than the tag")
            if judged:
                self.check_evidence(f"{app} {tag} was merged to {env}", app, tag, env, parents[0])

    def settle(self):
        """All jobs run, and Flux tells the truth."""
        for _ in range(4):
            self.run("gp-promote", "--missing", allowed=(0, 69))
            for env in ENVS:
                self.do_flux(Fixed(env))
            self.check()
            self.run("gp-refresh")
            self.check_gates()
            self.check(judged=True)
        for app in APPS:
            if app in self.disturbed or not self.released[app]:
                continue
            tag, bad = self.released[app][-1]
            others_bad = {env for other in APPS for env in ENVS if (self.tag(other, env), env) in self.released[other]}
            reach = ENVS[: ENVS.index(bad) + 1] if bad else ENVS
            for env in reach:
                if env != "dev" and others_bad & set(ENVS[: ENVS.index(env)]):
                    break  # another app makes the environment before it unhealthy
                if self.tag(app, env) != tag and not (env == "prod" and self.waits_green(app, tag)):
                    raise Broken(f"{app} {tag} did not get to {env}: it has {self.tag(app, env)}")

    def waits_green(self, app, tag):
        for pull in self.open():
            if f'"app":"{app}","tag":"{tag}","env":"prod"' in pull["description"]:
                statuses = self.ask("list-statuses", commits=[pull["head"]])["result"]["statuses"][pull["head"]]
                return any(s["context"] == "gp/gate" and s["state"] == "success" for s in statuses)
        return False


class Fixed:
    def __init__(self, env):
        self.env = env

    def choice(self, _):
        return self.env


def play(directory, history):
    """None, or what was broken."""
    world = World(directory, history[0].split(":")[0])
    try:
        for event in history[1:]:
            world.do(event)
            if event.startswith("refresh"):
                world.check_gates()
        world.settle()
    except Broken as broken:
        return str(broken)
    return None


def shrink(directory, history, why):
    """The shortest that is still broken, by leaving out events from the end on."""
    at = len(history) - 1
    while at > 0:
        shorter = history[:at] + history[at + 1 :]
        broken = play(directory, shorter)
        if broken:
            history, why = shorter, broken
        at -= 1
    return history, why


def main():
    directory, *rest = sys.argv[1:]
    if rest[0] == "--replay":
        why = play(directory, rest[1].split())
        print(why or "holds")
        sys.exit(1 if why else 0)
    seed, count = int(rest[0]), int(rest[1])
    for n in range(count):
        history = make(random.Random(seed + n))
        why = play(directory, history)
        if why:
            history, why = shrink(directory, history, why)
            print(f"{why}\n{' '.join(history)}\n(seed {seed + n})")
            sys.exit(1)
    print(f"histories: {count} from seed {seed}, 0 broken")


if __name__ == "__main__":
    main()
