"""What the forge knows: collections, projects, repositories, pull requests, statuses, policies, and how they change. No
HTTP here. The server calls every method under one lock.
"""

import datetime
import itertools
import os
import time
from urllib.parse import quote

from access import NOBODY, Identity, Refusal, Token, guid, invalid, no_project, no_repository, unresolvable
from hub import repository as hub
from hub.gitrepo import ZERO
from policy import OF_PUSHES

WHO = ("Microsoft.VisualStudio.Services.TFS", "azuredevops@microsoft.com")
STATES = ("notSet", "pending", "succeeded", "failed", "error", "notApplicable")


def now():
    """With seven digits behind the second, as Azure has it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


class Status:
    """Of a commit, or of a pull request (then with an iteration, or none: of the whole of it)."""

    def __init__(self, number, creator, fields, iteration=None, posted_in=None):
        context = fields.get("context") or {}
        if not context.get("name"):
            raise invalid("status.Context.Name")
        self.number, self.creator = number, creator
        self.name, self.genre = context["name"], context.get("genre")
        self.state, self.description = fields["state"], fields.get("description")
        self.target_url = fields.get("targetUrl")
        self.iteration, self.posted_in = iteration, posted_in
        self.created = now()


class Pull(hub.Pull):
    def __init__(self, repository, number, creator, source, branch, base, fields):
        super().__init__(repository, number, source, branch, base)
        self.creator = creator
        self.title, self.description = fields["title"], fields.get("description") or ""
        self.draft, self.labels, self.reviewers = bool(fields.get("isDraft")), [], {}
        self.status, self.created, self.closed = "active", now(), None
        self.closed_by = None
        # Who switched auto-complete on, and how it will be completed.
        self.auto, self.options = None, {}
        self.statuses, self.builds, self.votes = [], {}, {}
        self.iterations = []
        self.iterate("create")
        # Merges are tried, and made, in the background: how often it is still to be seen undone.
        self.shown_head, self.behind = self.head, 0
        self.unmerged = repository.forge.settings["merge_polls"]
        self.unevaluated = repository.forge.settings["evaluation_polls"]
        self.stale, self.stood = 0, {}
        self.completing, self.completer, self.failure, self.gone = None, None, None, False

    def iterate(self, reason):
        one = {"source": self.head, "target": self.base_sha, "reason": reason, "created": now()}
        self.iterations.append(one)

    @property
    def target(self):
        return "refs/heads/" + self.base

    def merge_status(self):
        if self.status == "completed":
            return "succeeded"
        if self.gone:
            return "failure"
        if self.completing is not None or self.unmerged >= 0:
            return "queued"
        if self.failure:
            return self.failure
        return "succeeded" if self.test_merge else "conflicts"


class Repository(hub.Repository):
    # There is only refs/pull/N/merge for others to see.
    HEAD_REF = "refs/internal/pull/{}"

    def __init__(self, forge, project, name, parent=None):
        super().__init__(os.path.join(forge.root, project.collection, project.name, name + ".git"), WHO, parent)
        self.forge, self.project, self.name = forge, project, name
        self.id = guid("repository", project.collection, project.name, name)
        self.statuses = {}
        # Who made which branch: it may do there what takes "Force push".
        self.made_by = {}

    def clone_url(self):
        return self.forge.web(self)

    # Statuses of commits

    def post(self, creator, oid, fields):
        if not self.git.has_commit(oid):
            raise unresolvable("Commit", oid, self.name)
        status = Status(next(self.forge.numbers), creator, fields)
        self.statuses.setdefault(oid, []).append(status)
        return status

    def somebody_says(self, oid, name, state):
        word = {"success": "succeeded", "failure": "failed"}.get(state, state)
        fields = {"context": {"name": name}, "state": word}
        status = Status(next(self.forge.numbers), self.forge.identity("somebody"), fields)
        self.statuses.setdefault(oid, []).append(status)

    def somebody_opens(self, branch):
        number, who = self.forge.next_pull(self.project.collection), self.forge.identity("somebody")
        fields = {"title": "Change " + branch}
        self.pulls.append(Pull(self, number, who, self, branch, self.default_branch, fields))
        return self.pulls[-1]

    # Pull requests

    def policies(self, pull):
        return [p for p in self.project.policies if self._guards(p, pull.target)]

    def _guards(self, policy, ref):
        return policy.enabled and policy.type not in OF_PUSHES and policy.covers(self.id, ref)

    def blockers(self, pull):
        """[(policy, how it stands)] of those that stand in the way."""
        found = [(p, p.stands(pull)) for p in self.policies(pull) if p.blocking]
        return [(p, how) for p, how in found if how not in ("approved", "notApplicable")]

    def awaited(self, pull):
        """Policies that do not block, and for which auto-complete waits all the same: autoCompleteIgnoreConfigIds in
        https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/update#gitpullrequestcompletionoptions"""
        ignored = pull.options.get("autoCompleteIgnoreConfigIds") or []
        found = [p for p in self.policies(pull) if not p.blocking and p.id not in ignored]
        return [p for p in found if p.stands(pull) not in ("approved", "notApplicable")]

    def protected(self, ref):
        return any(p.blocking and self._guards(p, ref) for p in self.project.policies)

    def open_pull(self, token, fields):
        names = [fields["sourceRefName"], fields["targetRefName"]]
        if not all(name.startswith("refs/heads/") for name in names):
            self._no_branch()
        branch, base = (name.removeprefix("refs/heads/") for name in names)
        source = self
        if fields.get("forkSource"):
            source = self.forge.of_id(fields["forkSource"]["repository"]["id"])
            if not source or not token.sees(source):
                raise no_repository(fields["forkSource"]["repository"]["id"])
        if not source.git.ref(names[0]) or not self.git.ref(names[1]):
            self._no_branch()
        if source is self and branch == base:
            raise invalid("The source and target branch of a pull request cannot be the same.")
        for other in self.open_pulls():
            if (other.source, other.branch, other.base) == (source, branch, base):
                text = "TF401179: An active pull request for the source and target branch already exists."
                raise Refusal(409, "GitPullRequestExistsException", text)
        if source is not self:
            self.take_objects(source, branch)
        if not self.git.shares_history(source.git.ref(names[0]), self.git.ref(names[1])):
            raise invalid("The source and the target branch have no common ancestor.")
        # Branches without a difference are no reason to refuse.
        number = self.forge.next_pull(self.project.collection)
        pull = Pull(self, number, token.identity, source, branch, base, fields)
        self.pulls.append(pull)
        self.test(pull)
        return pull

    @staticmethod
    def _no_branch():
        text = "TF401398: The pull request cannot be activated because the source and/or the target branch no longer"
        raise Refusal(400, "GitPullRequestCannotBeActivated", text + " exists, or the requested refs are not branches")

    def abandon(self, token, pull):
        pull.open, pull.status, pull.auto = False, "abandoned", None
        pull.closed, pull.closed_by = now(), token.identity
        self.git.set_ref(f"refs/pull/{pull.number}/merge", None)

    def reactivate(self, pull):
        head = pull.source.git.ref("refs/heads/" + pull.branch)
        if not head or not self.git.ref(pull.target):
            self._no_branch()
        pull.open, pull.status, pull.closed, pull.closed_by = True, "active", None, None
        self.settle()

    # Completing

    def complete(self, token, pull, head):
        """Queues it: what becomes of it is seen later. head: of which commit the caller believes that it is the tip."""
        token.require("GenericContribute")
        if pull.draft:
            raise invalid("A draft pull request cannot be completed.")
        # The service takes all zeros for none.
        if head not in (ZERO, pull.shown_head) or pull.shown_head != pull.head:
            text = "TF401192: The source branch has been modified since the last merge attempt."
            raise Refusal(409, "GitPullRequestStaleException", text)
        blockers = self.blockers(pull)
        if blockers and not pull.options.get("bypassPolicy"):
            text = "The pull request cannot be completed because required policies are not satisfied."
            raise Refusal(403, "GitPullRequestUpdateRejectedByPolicyException", text)
        self._queue(pull, token)

    def _queue(self, pull, token):
        pull.completing, pull.completer, pull.failure = self.forge.settings["completion_polls"], token, None
        pull.queued = now()

    def proceed(self, looked_at=None):
        """Time passes in the background: what waits is done, unless somebody is to see it undone some more times.
        looked_at: the pull request that a request asks about; None for requests that ask about something else."""
        for pull in self.open_pulls():
            if pull.completing is not None:
                if pull.completing <= 0:
                    self._finish(pull)
                elif looked_at is pull:
                    pull.completing -= 1
            if pull.behind <= 0:
                pull.shown_head = pull.head
            if looked_at is pull:
                pull.behind -= 1
            if looked_at is pull or not self.forge.settings["merge_polls"]:
                pull.unmerged -= 1
        self.start_due()

    def _finish(self, pull):
        """It may have been overtaken by a push, or by a policy."""
        token, method = pull.completer, pull.options.get("mergeStrategy")
        pull.completing = pull.completer = None
        method = method or ("squash" if pull.options.get("squashMerge") else "noFastForward")
        if self.blockers(pull) and not pull.options.get("bypassPolicy"):
            pull.failure = "rejectedByPolicy"
            return
        words = {"noFastForward": "merge", "squash": "squash", "rebase": "rebase", "rebaseMerge": "rebase"}
        text = pull.options.get("mergeCommitMessage") or f"Merged PR {pull.number}: {pull.title}\n\n{pull.description}"
        author = (token.identity.name, f"{token.login}@example.com", hub.now())
        done, tip = self.make_merge(pull, words[method], text.rstrip() + "\n", author)
        if not done:
            pull.failure, pull.auto = "conflicts", None
            return
        rebased = done
        if method == "rebaseMerge":
            done = self.git.commit(self.git.tree(done), [tip, done], text.rstrip() + "\n", author)
        if not self.git.move(pull.target, done, tip):
            pull.failure = "failure"
            return
        self._completed(pull, done, token.identity)
        source = "refs/heads/" + pull.branch
        if pull.options.get("deleteSourceBranch") and not pull.fork and self.may_force(token, source):
            self.git.set_ref(source, None)
        elif method.startswith("rebase") and not pull.fork:
            # "The source branch is updated during the rebase operation."
            self.git.move(source, rebased, pull.head)
        self.settle()

    def _completed(self, pull, commit, who):
        pull.open, pull.status, pull.merge_commit, pull.failure = False, "completed", commit, None
        pull.closed, pull.closed_by = now(), who
        pull.indexed_at = time.monotonic() + self.forge.settings["index_lag"]
        self.git.set_ref(f"refs/pull/{pull.number}/merge", None)

    def may_force(self, token, ref):
        return "ForcePush" in token.permissions or self.made_by.get(ref) == token.login

    # Auto-complete

    def set_auto(self, token, pull, who):
        """who: the token's user's id; all zeros switch it off."""
        if who == NOBODY:
            pull.auto = None
            return
        # https://github.com/microsoft/coe-starter-kit/issues/6872
        if who != token.identity.id:
            text = "Invalid pull request auto complete set by id. Valid values are either the current user identity id,"
            raise invalid(text + " or an empty guid (to unset auto complete).")
        if pull.draft:
            raise invalid("Auto-complete cannot be set on a draft pull request.")
        pull.auto = token.identity

    def start_due(self):
        """Completes what waits for nothing more; where no policy covers the branch, that is at once."""
        for pull in self.open_pulls():
            waits = pull.completing is not None or pull.failure or pull.gone or pull.draft or not pull.test_merge
            if pull.auto and not waits and pull.behind <= 0 and not self.blockers(pull) and not self.awaited(pull):
                self._queue(pull, self.forge.token_of(pull.auto))

    # The world moved

    def test(self, pull):
        pull.gone = False
        if pull.tested != (self.git.ref(pull.target), pull.head):
            pull.failure = None
        super().test(pull)

    def on_push(self, pull, before, pusher):
        forced = not self.git.is_ancestor(before, pull.head)
        pull.base_sha = self.git.ref(pull.target) or pull.base_sha
        pull.stale, pull.stood = self.forge.settings["stale_polls"], {p.id: p.stands(pull) for p in self.policies(pull)}
        pull.iterate("forcePush" if forced else "push")
        pull.failure = None
        pull.behind = self.forge.settings["head_polls"]
        pull.unmerged = self.forge.settings["merge_polls"]
        pull.completing = pull.completer = None
        # https://learn.microsoft.com/azure/devops/repos/git/branch-policies#require-a-minimum-number-of-reviewers
        for one in self.policies(pull):
            if one.settings.get("resetOnSourcePush"):
                pull.votes = {}

    def on_merged_by_hand(self, pull, commit, pusher):
        self._completed(pull, commit, pusher.identity if pusher else pull.creator)

    def on_gone(self, pull):
        """It stays active, and cannot be completed: https://github.com/mburumaxwell/paklo/pull/1614"""
        pull.gone, pull.test_merge, pull.tested = True, None, None
        self.git.set_ref(f"refs/pull/{pull.number}/merge", None)

    def on_settled(self):
        self.start_due()


class Project:
    def __init__(self, collection, name):
        self.collection, self.name = collection, name
        self.id = guid("project", collection, name)
        self.policies = []


class Forge:
    def __init__(self, root):
        self.root, self.url, self.faults = root, None, []
        self.numbers = itertools.count(1)
        self.pull_numbers = {}
        self.projects, self.repositories, self.tokens, self.identities = {}, {}, {}, {}
        # How often a completion, a new head, a try at a merge and the policies of a new pull request are seen undone, and
        # those after a push as they were before it;
        # seconds until the query finds a merge; whether a batch of commits comes with statuses; the newest version of
        # the API, and the newest that is out of preview.
        self.settings = {"completion_polls": 0, "head_polls": 0, "merge_polls": 0, "evaluation_polls": 0}
        self.settings["stale_polls"] = 0
        self.settings.update(index_lag=0.0, batch_statuses=True)
        self.settings.update(latest="7.2", released="7.1")

    # Addresses

    def web(self, repository):
        project = repository.project
        return f"{self.url}/{quote(project.collection)}/{quote(project.name)}/_git/{quote(repository.name)}"

    # Tokens

    def identity(self, login, name=None):
        return self.identities.setdefault(login, Identity(login, name))

    def add_token(self, text, login, name=None, **more):
        self.tokens[text] = Token(self.identity(login, name), **more)

    def token_of(self, identity):
        return next((t for t in self.tokens.values() if t.identity is identity), Token(identity))

    # Repositories

    def add_repository(self, collection, project, name, parent=None):
        key = (collection.lower(), project.lower())
        self.projects.setdefault(key, Project(collection, project))
        repository = Repository(self, self.projects[key], name, parent)
        os.makedirs(os.path.dirname(repository.git.path), exist_ok=True)
        repository.git.create(repository.default_branch)
        self.repositories[(*key, name.lower())] = repository
        return repository

    def fork(self, repository, name, project=None):
        there = project or repository.project.name
        fork = self.add_repository(repository.project.collection, there, name, repository)
        fork.git("fetch", "--quiet", repository.git.path, "+refs/heads/*:refs/heads/*")
        return fork

    def of_id(self, wanted):
        return next((r for r in self.repositories.values() if r.id == wanted.lower()), None)

    def project(self, collection, name):
        """By name or id."""
        found = self.projects.get((collection.lower(), name.lower()))
        by_id = (
            p for p in self.projects.values() if p.collection.lower() == collection.lower() and p.id == name.lower()
        )
        found = found or next(by_id, None)
        if not found:
            raise no_project(name)
        return found

    def repository(self, token, collection, project, name):
        """By name, within its project, or by id; project may be None then."""
        found = self.of_id(name)
        if found and found.project.collection.lower() != collection.lower():
            found = None
        if project is not None:
            within = self.project(collection, project)
            found = found or self.repositories.get((collection.lower(), within.name.lower(), name.lower()))
            found = found if found and found.project is within else None
        if not found or not (token and token.sees(found)):
            raise no_repository(name)
        return found

    def within(self, token, collection, project):
        """Those of a project, or (None) of a whole collection, as far as the token sees them."""
        found = [r for r in self.repositories.values() if r.project.collection.lower() == collection.lower()]
        if project is not None:
            found = [r for r in found if r.project is self.project(collection, project)]
        return [r for r in found if token.sees(r)]

    def next_pull(self, collection):
        """They are numbered within a collection, not within a repository."""
        counter = self.pull_numbers.setdefault(collection.lower(), itertools.count(1))
        return next(counter)

    def pushed(self, repository, token):
        repository.settle(token)
        for other in self.repositories.values():
            if other is not repository and repository.parent is other:
                other.settle(token)
