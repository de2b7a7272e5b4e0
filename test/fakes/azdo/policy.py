"""Branch policies: what they look at, and how they stand for a pull request.

https://learn.microsoft.com/azure/devops/repos/git/branch-policies, and for the types and their settings
https://learn.microsoft.com/rest/api/azure/devops/policy/configurations
"""

import fnmatch
import itertools

from access import guid, invalid

STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
BUILD = "0609b952-1397-4640-95ec-e00a01b2c241"
REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
FILE_SIZE = "2e26e725-8201-4edd-8bf5-978563c34a80"
MERGE_STRATEGY = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"
TYPES = {
    STATUS: "Status",
    BUILD: "Build",
    REVIEWERS: "Minimum number of reviewers",
    MERGE_STRATEGY: "Require a merge strategy",
    FILE_SIZE: "File size restriction",
}
# Those that are for pushes have no say over pull requests:
# https://learn.microsoft.com/azure/devops/repos/git/repository-settings
OF_PUSHES = {FILE_SIZE}
STRATEGIES = {
    "noFastForward": "allowNoFastForward",
    "squash": "allowSquash",
    "rebase": "allowRebase",
    "rebaseMerge": "allowRebaseMerge",
}


class Policy:
    numbers = itertools.count(1)

    def __init__(self, project, type, settings, scope, isBlocking=True, isEnabled=True):  # noqa: A002, N803 (members)
        if type not in TYPES:
            raise invalid("configuration.Type")
        self.id, self.project, self.type = next(self.numbers), project, type
        self.settings, self.scope = settings, scope
        self.blocking, self.enabled = isBlocking, isEnabled

    def covers(self, repository_id, ref):
        """ref: a branch's full name, None for what concerns a whole repository."""
        for scope in self.scope:
            if scope.get("repositoryId") not in (None, repository_id):
                continue
            name = scope.get("refName")
            if name is None or name == ref or (scope.get("matchKind") == "Prefix" and ref and ref.startswith(name)):
                return True
        return False

    def stands(self, pull):
        """queued, running, approved, rejected or notApplicable:
        https://learn.microsoft.com/rest/api/azure/devops/policy/evaluations/list#policyevaluationstatus"""
        if not self._concerns(pull):
            return "notApplicable"
        if self.type == STATUS:
            return self._status(pull)
        if self.type == BUILD:
            result, iteration = pull.builds.get(self.id, ("queued", 0))
            fresh = iteration == len(pull.iterations) or not self.settings.get("queueOnSourceUpdateOnly", True)
            return result if fresh else "queued"
        if self.type == REVIEWERS:
            votes = [
                v for who, v in pull.votes.items() if who != pull.creator or self.settings.get("creatorVoteCounts")
            ]
            if any(v == -10 for v in votes):
                return "rejected"
            return "approved" if sum(v > 0 for v in votes) >= self.settings["minimumApproverCount"] else "queued"
        allowed = self.settings.get(STRATEGIES[pull.options.get("mergeStrategy") or "noFastForward"])
        return "approved" if allowed or not pull.options else "rejected"

    def _concerns(self, pull):
        """Whether its path filter lets one of the pull request's files through."""
        patterns = self.settings.get("filenamePatterns")
        if not patterns:
            return True
        files = pull.repository.git("diff", "--name-only", f"{pull.target}...{pull.head}").splitlines()
        return any(fnmatch.fnmatchcase("/" + file, pattern) for file in files for pattern in patterns)

    def _status(self, pull):
        name, genre = self.settings["statusName"], self.settings.get("statusGenre") or ""
        found = [s for s in pull.statuses if s.name == name and (s.genre or "") == genre]
        author = self.settings.get("authorId")
        found = [s for s in found if author in (None, s.creator.id)]
        # "Reset status whenever there are new changes": https://learn.microsoft.com/azure/devops/repos/git/pr-status-policy
        if self.settings.get("invalidateOnSourceUpdate"):
            found = [s for s in found if (s.iteration or s.posted_in) == len(pull.iterations)]
        if not found:
            return "notApplicable" if self.settings.get("policyApplicability") == 1 else "queued"
        words = {"succeeded": "approved", "notApplicable": "approved", "failed": "rejected", "error": "rejected"}
        return words.get(found[-1].state, "running")

    def evaluation_id(self, pull):
        return guid("evaluation", str(self.id), str(pull.number))
