"""A repository with pull requests, as every forge has them: what follows when branches move, and the commits that a
merge makes. What a service adds (statuses, rules, what is allowed) is in a subclass of its own."""

import time

from hub.gitrepo import Git


def now():
    """Whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Pull:
    """source: the repository of the branch, a fork's or repository itself. open until it is merged or closed."""

    def __init__(self, repository, number, source, branch, base):
        self.repository, self.number, self.source, self.branch, self.base = repository, number, source, branch, base
        self.open = True
        self.head = source.git.ref("refs/heads/" + branch)
        self.base_sha = repository.git.ref("refs/heads/" + base)
        self.merge_commit = self.test_merge = self.tested = None

    @property
    def fork(self):
        return self.source is not self.repository


class Repository:
    # What keeps the head of a pull request where its branch is gone.
    HEAD_REF = "refs/pull/{}/head"

    def __init__(self, path, who, parent=None):
        self.git = Git(path, who)
        self.parent = parent
        self.default_branch = "main"
        self.pulls = []

    def open_pulls(self):
        return [p for p in self.pulls if p.open]

    def take_objects(self, source, branch):
        self.git("fetch", "--quiet", source.git.path, "refs/heads/" + branch)

    def test(self, pull):
        """Keeps HEAD_REF and refs/pull/N/merge: a merge that nobody made yet, gone where there is a conflict."""
        tip = self.git.ref("refs/heads/" + pull.base)
        if pull.tested == (tip, pull.head):
            return
        self.git.set_ref(self.HEAD_REF.format(pull.number), pull.head)
        pull.tested, pull.base_sha, pull.test_merge = (tip, pull.head), tip, None
        tree = self.git.merged_tree(tip, pull.head)
        if tree:
            pull.test_merge = self.git.commit(tree, [tip, pull.head], f"Merge {pull.head} into {tip}")
        self.git.set_ref(f"refs/pull/{pull.number}/merge", pull.test_merge)

    def make_merge(self, pull, method, message, author):
        """The commit that pull is merged as on top of (second value) the base's tip, not on any branch yet; None for a
        conflict. method: merge, squash or rebase."""
        git, tip = self.git, self.git.ref("refs/heads/" + pull.base)
        if method == "rebase":
            return git.rebased(tip, pull.head), tip
        tree = git.merged_tree(tip, pull.head)
        if not tree:
            return None, tip
        parents = [tip, pull.head] if method == "merge" else [tip]
        return git.commit(tree, parents, message, author), tip

    # The world moved

    def settle(self, pusher=None):
        """Looks at the branches anew: heads, branches that are gone, merges made by hand, test merges."""
        heads = self.git.branches()
        for pull in self.open_pulls():
            source = heads if not pull.fork else pull.source.git.branches()
            head, tip = source.get(pull.branch), heads.get(pull.base)
            if head and head != pull.head:
                if pull.fork:
                    self.take_objects(pull.source, pull.branch)
                before, pull.head = pull.head, head
                self.on_push(pull, before, pusher)
            if tip and pull.head != pull.base_sha and self.git.is_ancestor(pull.head, tip):
                self.on_merged_by_hand(pull, self._brought_in(pull, tip), pusher)
            elif not head or not tip:
                self.on_gone(pull)
            else:
                self.test(pull)
        self.on_settled()

    def on_push(self, pull, before, pusher):
        pass

    def on_merged_by_hand(self, pull, commit, pusher):
        raise NotImplementedError

    def on_gone(self, pull):
        raise NotImplementedError

    def on_settled(self):
        pass

    def _brought_in(self, pull, tip):
        """The first commit of the base's own line that has the head."""
        line = self.git("rev-list", "--first-parent", "--reverse", f"{pull.base_sha}..{tip}").splitlines()
        return next((oid for oid in line if self.git.is_ancestor(pull.head, oid)), tip)
