"""What the forge knows: repositories, pull requests, statuses, and how they change. No HTTP here.

A Forge holds Repositories; each owns its Git, its Pulls and what was reported on its commits. The server calls every
method under one lock. Times are whole seconds, as GitHub's.
"""

import base64
import itertools
import os
import time

from access import ALL, Refusal, Token, not_found
from hub import repository as hub
from hub.gitrepo import GitError
from hub.repository import now

# What a required check may end with: https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks
GREEN = ("success", "neutral", "skipped")

WHO = ("GitHub", "noreply@github.com")


class Protection:
    """Of one branch. ruleset: whether it comes from a ruleset or from the older branch protection rule."""

    def __init__(self, contexts, strict=False, admins=False, ruleset=False):
        self.contexts = contexts
        self.strict = strict
        self.admins = admins
        self.ruleset = ruleset


class Status:
    kind = "status"

    def __init__(self, number, node, creator, sha, fields):
        self.number, self.node, self.creator, self.sha = number, node, creator, sha
        self.state = fields["state"]
        self.context = fields.get("context") or "default"
        self.description = fields.get("description")
        self.target_url = fields.get("target_url")
        self.created_at = now()

    @property
    def result(self):
        return self.state


class CheckRun:
    kind = "check-run"

    def __init__(self, number, node, creator, sha, fields):
        self.number, self.node, self.creator, self.sha = number, node, creator, sha
        self.context = fields["name"]
        self.conclusion = fields.get("conclusion")
        self.status = fields.get("status") or ("completed" if self.conclusion else "queued")
        self.details_url = fields.get("details_url")
        self.started_at = fields.get("started_at") or now()
        self.completed_at = fields.get("completed_at") or (now() if self.conclusion else None)

    @property
    def result(self):
        if self.status != "completed":
            return "pending"
        return "success" if self.conclusion in GREEN else "failure"


class Pull(hub.Pull):
    def __init__(self, repository, number, node, user, source, branch, base, title, body):
        super().__init__(repository, number, source, branch, base)
        self.node, self.user = node, user
        self.title, self.body = title, body
        self.created_at = self.updated_at = now()
        self.closed_at = self.merged_at = self.merged_by = self.auto = None
        self.draft, self.labels, self.reviewers, self.teams, self.reviews = False, [], [], [], []

    @property
    def state(self):
        return "open" if self.open else "closed"


class Repository(hub.Repository):
    def __init__(self, forge, owner, name, number, parent=None):
        super().__init__(os.path.join(forge.root, owner, name + ".git"), WHO, parent)
        self.forge, self.owner, self.name, self.number = forge, owner, name, number
        self.full_name = f"{owner}/{name}"
        self.node = forge.new_node("R")
        self.private = True
        self.created_at = now()
        self.allow = {"merge": True, "squash": True, "rebase": True}
        self.allow_auto_merge = True
        self.delete_branch_on_merge = False
        self.protection = {}
        self.reports = {}

    def clone_url(self):
        return f"{self.forge.url}/{self.full_name}.git"

    # Reports on commits

    def report(self, cls, creator, sha, fields):
        if not self.git.has_commit(sha):
            raise Refusal(422, f"No commit found for SHA: {sha}")
        number = next(self.forge.numbers)
        one = cls(number, self.forge.new_node("SC" if cls is Status else "CR"), creator, sha, fields)
        self.reports.setdefault(sha, []).insert(0, one)
        self.settle()
        return one

    def somebody_says(self, sha, context, state):
        self.report(Status, "somebody", sha, {"context": context, "state": state})

    def somebody_opens(self, branch):
        node, text = self.forge.new_node("PR"), ("Change " + branch, "What it is about.")
        self.pulls.append(Pull(self, len(self.pulls) + 1, node, "somebody", self, branch, self.default_branch, *text))
        return self.pulls[-1]

    def all_of(self, sha, kind):
        return [r for r in self.reports.get(sha, []) if r.kind == kind]

    def latest(self, sha):
        """The newest report of each context, in the order in which the contexts first came."""
        newest = {}
        for one in reversed(self.reports.get(sha, [])):
            newest[(one.kind, one.context)] = one
        return list(newest.values())

    # Pull requests

    def pull(self, number):
        if not 1 <= number <= len(self.pulls):
            raise not_found()
        return self.pulls[number - 1]

    def open_pull(self, user, fields):
        invalid = []
        owner, _, branch = fields["head"].rpartition(":")
        source = self if owner in ("", self.owner) else self.forge.fork_of(self, owner)
        if not source or not source.git.ref("refs/heads/" + branch):
            invalid.append({"resource": "PullRequest", "field": "head", "code": "invalid"})
        base = fields["base"]
        if not self.git.ref("refs/heads/" + base):
            invalid.append({"resource": "PullRequest", "field": "base", "code": "invalid"})
        if invalid:
            raise Refusal(422, "Validation Failed", invalid)
        for other in self.open_pulls():
            if (other.source, other.branch, other.base) == (source, branch, base):
                self._refuse_pull(f"A pull request already exists for {source.owner}:{branch}.")
        if source is not self:
            self.take_objects(source, branch)
        head, tip = source.git.ref("refs/heads/" + branch), self.git.ref("refs/heads/" + base)
        if not self.git.shares_history(tip, head):
            self._refuse_pull(f"The {branch} branch has no history in common with {base}")
        if not self.git.ahead(tip, head):
            self._refuse_pull(f"No commits between {base} and {fields['head']}")
        number = len(self.pulls) + 1
        node, text = self.forge.new_node("PR"), (fields["title"], fields.get("body"))
        pull = Pull(self, number, node, user, source, branch, base, *text)
        pull.draft = bool(fields.get("draft"))
        self.pulls.append(pull)
        self.test(pull)
        return pull

    @staticmethod
    def _refuse_pull(message):
        raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])

    def close(self, pull):
        pull.open, pull.auto = False, None
        pull.closed_at = pull.updated_at = now()
        self.git.set_ref(f"refs/pull/{pull.number}/merge", None)

    def reopen(self, pull):
        head = pull.source.git.ref("refs/heads/" + pull.branch)
        if pull.merged_at or not head or not self.git.ref("refs/heads/" + pull.base):
            self._refuse_pull("state cannot be changed. The pull request cannot be reopened.")
        pull.open, pull.head, pull.closed_at = True, head, None
        self.test(pull)

    # What stands in the way of a merge

    def missing_checks(self, base, sha):
        """Sentences, as GitHub says them, one for each required check that is not green."""
        rule = self.protection.get(base)
        found = {r.context: r for r in self.latest(sha)}
        said = []
        for context in rule.contexts if rule else []:
            one = found.get(context)
            how = {"pending": "pending", "success": None}.get(one.result, "failing") if one else "expected"
            if how:
                said.append(f'Required status check "{context}" is {how}.')
        return said

    def merge_state(self, pull):
        """MergeStateStatus: https://docs.github.com/graphql/reference/enums#mergestatestatus"""
        if not pull.test_merge:
            return "DIRTY"
        if self.missing_checks(pull.base, pull.head):
            return "BLOCKED"
        rule = self.protection.get(pull.base)
        if rule and rule.strict and not self.git.is_ancestor(pull.base_sha, pull.head):
            return "BEHIND"
        return "CLEAN" if all(r.result == "success" for r in self.latest(pull.head)) else "UNSTABLE"

    def merge(self, token, pull, method, sha=None, title=None, message=None):
        if pull.state != "open" or not pull.test_merge:
            raise Refusal(405, "Pull Request is not mergeable")
        if sha and sha != pull.head:
            raise Refusal(409, "Head branch was modified. Review and try the merge again.")
        if not self.allow[method]:
            word = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}[method]
            raise Refusal(405, f"{word} are not allowed on this repository.")
        self.require_checks(token, pull.base, pull.head)
        return self.do_merge(pull, method, token.login, title, message)

    def require_checks(self, token, base, sha):
        rule = self.protection.get(base)
        missing = self.missing_checks(base, sha)
        if not missing or (token.admin and not rule.admins):
            return
        text = missing[0]
        if len(missing) > 1:
            text = f"{len(missing)} of {len(rule.contexts)} required status checks have not succeeded."
        raise Refusal(405, "Repository rule violations found\n\n" + text if rule.ruleset else text)

    def do_merge(self, pull, method, login, title=None, message=None):
        author = (login, f"{login}@users.noreply.github.com", now())
        done, tip = self.make_merge(pull, method, self.words(pull, method, title, message), author)
        if not done:
            raise Refusal(405, "Pull Request is not mergeable")
        if not self.git.move("refs/heads/" + pull.base, done, tip):
            raise Refusal(405, "Base branch was modified. Review and try the merge again.")
        self._merged(pull, done, login)
        self.settle()
        return done

    def words(self, pull, method, title=None, message=None):
        """What the commit of a merge says."""
        if method == "merge":
            subject = title or f"Merge pull request #{pull.number} from {pull.source.owner}/{pull.branch}"
            return f"{subject}\n\n{message or pull.title}\n"
        commits = self.git.ahead(self.git.ref("refs/heads/" + pull.base), pull.head)
        body = self.git.field(commits[0], "%b") if len(commits) == 1 else self._listed(commits)
        return f"{title or f'{pull.title} (#{pull.number})'}\n\n{message or body}".rstrip() + "\n"

    def _listed(self, commits):
        return "\n\n".join("* " + self.git.field(oid, "%B").rstrip() for oid in commits)

    def _merged(self, pull, commit, login):
        pull.open, pull.merge_commit, pull.merged_by, pull.auto = False, commit, login, None
        pull.merged_at = pull.closed_at = pull.updated_at = now()
        pull.indexed_at = time.monotonic() + self.forge.index_lag
        self.git.set_ref(f"refs/pull/{pull.number}/merge", None)
        if self.delete_branch_on_merge and not pull.fork:
            self.git.set_ref("refs/heads/" + pull.branch, None)

    def pulls_of_commit(self, sha):
        """Those that a commit belongs to: merged as it, or with it among their own commits; of a commit on the default
        branch only merged ones: https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit
        The index lags behind merges by a configurable time."""
        if not self.git.has_commit(sha):
            return []
        landed = self.git.is_ancestor(sha, "refs/heads/" + self.default_branch)
        found = []
        for pull in self.pulls:
            own = pull.merge_commit == sha or sha in self.git.ahead(pull.base_sha, pull.head)
            if own and (pull.merged_at or not landed) and not (pull.merged_at and time.monotonic() < pull.indexed_at):
                found.append(pull)
        return found

    # Auto-merge

    def enable_auto(self, token, pull, method, head=None, title=None, message=None):
        """https://docs.github.com/graphql/reference/mutations#enablepullrequestautomerge"""

        # The words are those that users quote, doubled "Pull request" and all:
        # https://github.com/peter-evans/enable-pull-request-automerge/issues/343
        def refuse(text):
            raise Refusal(422, "Pull request " + text, kind="UNPROCESSABLE")

        if pull.state != "open":
            refuse("Can't enable auto-merge for this pull request")
        if not self.allow_auto_merge:
            refuse("Auto merge is not allowed for this repository")
        if not self.allow[method]:
            refuse(f"Merge method {method} merging is not allowed on this repository")
        if head and head != pull.head:
            refuse("Head branch was modified. Review and try the merge again.")
        if pull.auto:
            pull.auto["method"] = method
            return
        if pull.base not in self.protection:
            refuse("Protected branch rules not configured for this branch")
        state = self.merge_state(pull)
        if state in ("CLEAN", "UNSTABLE", "DIRTY"):
            refuse(f"Pull request is in {state.lower()} status")
        pull.auto = {"method": method, "at": now(), "by": token.login, "title": title, "message": message}

    def disable_auto(self, pull):
        if pull.state != "open" or not pull.auto:
            raise Refusal(422, "Can't disable auto-merge for this pull request.", kind="UNPROCESSABLE")
        pull.auto = None

    # The world moved

    def on_push(self, pull, before, pusher):
        pull.updated_at = now()
        # "If someone without write permissions pushes": docs, Automatically merging a pull request
        if pusher and not pusher.allows("contents=write"):
            pull.auto = None

    def on_merged_by_hand(self, pull, commit, pusher):
        self._merged(pull, commit, pusher.login if pusher else pull.user)

    def on_gone(self, pull):
        self.close(pull)

    def on_settled(self):
        for pull in self.open_pulls():
            if pull.auto and self.merge_state(pull) in ("CLEAN", "UNSTABLE"):
                auto = pull.auto
                try:
                    self.do_merge(pull, auto["method"], auto["by"], auto["title"], auto["message"])
                except Refusal:
                    pull.auto = None
                return


class Forge:
    def __init__(self, root):
        self.root = root
        self.numbers = itertools.count(1000)
        self.repositories = {}
        self.nodes = {}
        self.tokens = {}
        self.index_lag = 0.0
        self.rate = {"limit": 5000, "used": 0, "reset": int(time.time()) + 3600}
        self.faults = []
        self.url = None

    def new_node(self, prefix):
        """An opaque id, as https://docs.github.com/graphql/guides/using-global-node-ids"""
        raw = next(self.numbers).to_bytes(6, "big") + prefix.encode()
        return f"{prefix}_kwDO{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"

    def add_repository(self, owner, name, parent=None):
        os.makedirs(os.path.join(self.root, owner), exist_ok=True)
        repository = Repository(self, owner, name, next(self.numbers), parent)
        repository.git.create(repository.default_branch)
        self.repositories[repository.full_name.lower()] = repository
        return repository

    def add_token(self, text, login, **more):
        if more.get("permissions") is None:
            more["permissions"] = dict(ALL)
        self.tokens[text] = Token(login, **more)

    def find(self, full_name):
        return self.repositories.get(full_name.lower())

    def visible(self, token, owner, name):
        repository = self.find(f"{owner}/{name}")
        if not repository or (repository.private and not (token and token.sees(repository))):
            raise not_found()
        return repository

    def fork_of(self, repository, owner):
        return next((r for r in self.repositories.values() if r.owner == owner and r.parent is repository), None)

    def fork(self, repository, owner):
        fork = self.add_repository(owner, repository.name, repository)
        fork.git("fetch", "--quiet", repository.git.path, "+refs/heads/*:refs/heads/*")
        return fork

    def pull_of_node(self, node):
        for repository in self.repositories.values():
            for pull in repository.pulls:
                if pull.node == node:
                    return pull
        return None

    def pushed(self, repository, token):
        repository.settle(token)
        for other in self.repositories.values():
            if other is not repository and repository.parent is other:
                other.settle(token)


__all__ = ["Forge", "Protection", "Status", "CheckRun", "GitError", "now"]
