"""A bare repository, by git's plumbing. Whoever holds a Git may change its refs; nothing else is kept here."""

import os
import subprocess

ZERO = "0" * 40

# A push is judged by the server before git sees it; what needs the new objects is judged here, where they are readable,
# by what the service puts into the environment: https://git-scm.com/docs/git-receive-pack#_quarantine_environment
PRE_RECEIVE = """#!/bin/sh
eval "$FORGE_PRE_RECEIVE"
"""


CONFIG = """\
[http]
	receivepack = true
[receive]
	denyDeletes = false
	autogc = false
[core]
	fsync = none
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[transfer]
	hideRefs = refs/internal
"""


class GitError(Exception):
    pass


def clean_environment(who):
    """The server's own, without what the caller of the tests may have set for git. who: (name, email) of the forge in
    commits that it makes (merges, squashes, rebases)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull, LC_ALL="C")
    env.update(GIT_COMMITTER_NAME=who[0], GIT_COMMITTER_EMAIL=who[1], GIT_AUTHOR_NAME=who[0], GIT_AUTHOR_EMAIL=who[1])
    return env


class Git:
    def __init__(self, path, who):
        self.path = path
        self.env = clean_environment(who)

    def create(self, branch):
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=" + branch, self.path], env=self.env, check=True
        )
        with open(os.path.join(self.path, "config"), "a", encoding="utf-8") as f:
            f.write(CONFIG)
        hook = os.path.join(self.path, "hooks", "pre-receive")
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        with open(hook, "w", encoding="utf-8") as f:
            f.write(PRE_RECEIVE)
        os.chmod(hook, 0o755)

    def run(self, *args, data=None, env=None):
        return subprocess.run(
            ["git", *args], cwd=self.path, input=data, capture_output=True, env={**self.env, **(env or {})}, check=False
        )

    def __call__(self, *args, data=None, env=None):
        done = self.run(*args, data=data, env=env)
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace").rstrip("\n")

    def branches(self):
        lines = self("for-each-ref", "--format=%(refname:strip=2) %(objectname)", "refs/heads").splitlines()
        return dict(line.split(" ") for line in lines)

    def ref(self, name):
        done = self.run("rev-parse", "--verify", "--quiet", name + "^{commit}")
        return done.stdout.decode().strip() or None

    def has_commit(self, oid):
        return len(oid) == 40 and self.run("cat-file", "-e", oid + "^{commit}").returncode == 0

    def set_ref(self, name, oid):
        """Sets a full ref, or deletes it where oid is None."""
        if oid:
            self("update-ref", name, oid)
        elif self.run("rev-parse", "--verify", "--quiet", name).returncode == 0:
            self("update-ref", "-d", name)

    def move(self, name, new, old):
        """True where the ref was at old and is at new now."""
        return self.run("update-ref", name, new, old).returncode == 0

    def is_ancestor(self, one, other):
        return self.run("merge-base", "--is-ancestor", one, other).returncode == 0

    def ahead(self, base, head):
        """The commits of head that base does not have, oldest first."""
        return self("rev-list", "--reverse", "--topo-order", f"{base}..{head}").splitlines()

    def shares_history(self, one, other):
        return self.run("merge-base", one, other).returncode == 0

    def field(self, oid, fmt):
        return self("show", "-s", "--format=" + fmt, oid)

    def tree(self, oid):
        return self("rev-parse", oid + "^{tree}")

    def changes(self, base, head):
        """(added, deleted, files) between the common ancestor and head."""
        lines = self("diff", "--numstat", f"{base}...{head}").splitlines()
        counts = [line.split("\t")[:2] for line in lines]
        return (
            sum(int(a) for a, _ in counts if a != "-"),
            sum(int(d) for _, d in counts if d != "-"),
            len(lines),
        )

    def merged_tree(self, ours, theirs):
        """The tree of a merge of two commits, None where they conflict."""
        done = self.run("merge-tree", "--write-tree", "--no-messages", ours, theirs)
        if done.returncode == 0:
            return done.stdout.decode().split("\n", 1)[0]
        if done.returncode == 1:
            return None
        raise GitError(done.stderr.decode(errors="replace"))

    def commit(self, tree, parents, message, author=None):
        args = ["commit-tree", tree]
        for parent in parents:
            args += ["-p", parent]
        env = {}
        if author:
            env = {"GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1], "GIT_AUTHOR_DATE": author[2]}
        return self(*args, data=message.encode(), env=env)

    def rebased(self, base, head):
        """head's own commits on top of base: the last one's id, None for a conflict. Merges are left out,
        and the committer changes, so the ids always do."""
        tip = base
        for oid in self("rev-list", "--reverse", "--topo-order", "--no-merges", f"{base}..{head}").splitlines():
            # A commit with tip's tree, but oid's parent as its own: so that parent is the base of the merge.
            stand_in = self.commit(self.tree(tip), [f"{oid}^"], "stand-in")
            tree = self.merged_tree(stand_in, oid)
            if not tree:
                return None
            author = self.field(oid, "%an%n%ae%n%aI").split("\n")
            tip = self.commit(tree, [tip], self.field(oid, "%B"), author)
        return tip
