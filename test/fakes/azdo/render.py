"""How the REST API shows things, with the members that the published descriptions have. Links are made up."""

from urllib.parse import quote

from access import guid
from policy import STATUS, TYPES


def place(forge, collection):
    return f"{forge.url}/{quote(collection)}"


def cut(text):
    """To 400 characters, which are UTF-16's: half of a pair comes out as U+FFFD."""
    return text.encode("utf-16-le")[:800].decode("utf-16-le", errors="replace")


class Render:
    """base: the collection's address."""

    def __init__(self, forge, collection):
        self.forge, self.collection = forge, collection
        self.base = place(forge, collection)

    def identity(self, who):
        return {
            "displayName": who.name,
            "url": f"{self.base}/_apis/Identities/{who.id}",
            "_links": {"avatar": {"href": f"{self.base}/_apis/GraphProfile/MemberAvatars/{who.id}"}},
            "id": who.id,
            "uniqueName": f"{who.login}@example.com",
            "imageUrl": f"{self.base}/_api/_common/identityImage?id={who.id}",
            "descriptor": "aad." + who.id,
        }

    def connection(self, token, collection):
        who = token.identity
        user = {
            "id": who.id,
            "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{who.login}@example.com",
            "subjectDescriptor": "aad." + who.id,
            "providerDisplayName": who.name,
            "isActive": True,
            "properties": {"Account": {"$type": "System.String", "$value": f"{who.login}@example.com"}},
            "resourceVersion": 2,
            "metaTypeId": 0,
        }
        return {
            "authenticatedUser": user,
            "authorizedUser": user,
            "instanceId": guid("collection", collection.lower()),
            "deploymentId": guid("deployment"),
            "deploymentType": "hosted",
            "locationServiceData": {
                "serviceOwner": guid("owner"),
                "defaultAccessMappingMoniker": "PublicAccessMapping",
            },
        }

    # Repositories

    def project(self, project, full=False):
        body = {
            "id": project.id,
            "name": project.name,
            "url": f"{self.base}/_apis/projects/{project.id}",
            "state": "wellFormed",
            "revision": 7,
            "visibility": "private",
            "lastUpdateTime": "2026-01-02T03:04:05.678Z",
        }
        return body if full else {k: body[k] for k in ("id", "name", "state", "visibility")}

    def repository_url(self, repo):
        return f"{self.base}/{repo.project.id}/_apis/git/repositories/{repo.id}"

    def repository(self, repo, full=False, shallow=False):
        body = {"id": repo.id, "name": repo.name, "url": self.repository_url(repo)}
        body["project"] = self.project(repo.project, full or not shallow)
        if shallow:
            return body
        body["defaultBranch"] = "refs/heads/" + repo.default_branch
        if not repo.git.ref(body["defaultBranch"]):
            del body["defaultBranch"]
        web = self.forge.web(repo)
        body.update(size=728, remoteUrl=web, sshUrl="git@ssh.example.com:v3/acme/shop/shop", webUrl=web)
        body.update(isDisabled=False, isInMaintenance=False)
        if repo.parent:
            body["isFork"] = True
            body["parentRepository"] = {**self.repository(repo.parent, shallow=True), "isFork": False}
        if full:
            body["_links"] = {"self": {"href": body["url"]}, "web": {"href": web}}
        return body

    def ref(self, repo, name, oid):
        made = repo.made_by.get(name)
        body = {
            "name": name,
            "objectId": oid,
            "url": f"{self.repository_url(repo)}/refs?filter={quote(name[5:], safe='')}",
        }
        if made:
            body["creator"] = self.identity(self.forge.identity(made))
        return body

    def comparison(self, repo, base, target):
        git = repo.git
        common = git.run("merge-base", base, target).stdout.decode().strip()
        changes = git("diff", "--name-only", f"{common or base}", target).splitlines()
        return {
            "allChangesIncluded": True,
            "changeCounts": {"Edit": len(changes)} if changes else {},
            "changes": [{"item": {"path": "/" + path}, "changeType": "edit"} for path in changes],
            "commonCommit": common,
            "baseCommit": base,
            "targetCommit": target,
            "aheadCount": len(git.ahead(base, target)),
            "behindCount": len(git.ahead(target, base)),
        }

    def commit(self, repo, oid, statuses=None):
        lines = repo.git.field(oid, "%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%s").split("\n")
        body = {
            "commitId": oid,
            "author": dict(zip(("name", "email", "date"), lines[0:3])),
            "committer": dict(zip(("name", "email", "date"), lines[3:6])),
            "comment": lines[6],
            "changeCounts": {"Add": 0, "Edit": 1, "Delete": 0},
            "url": f"{self.repository_url(repo)}/commits/{oid}",
            "remoteUrl": f"{self.forge.web(repo)}/commit/{oid}",
        }
        if statuses:
            body["statuses"] = [self.status(s) for s in reversed(statuses)]
        return body

    # Pull requests

    def pull(self, pull, full=False):
        """In lists, and in the results of a query, descriptions are cut, and links and options are left out."""
        repo = pull.repository
        url = f"{self.repository_url(repo)}/pullRequests/{pull.number}"
        body = {
            "repository": self.repository(repo, shallow=not full),
            "pullRequestId": pull.number,
            "codeReviewId": pull.number,
            "status": pull.status,
            "createdBy": self.identity(pull.creator),
            "creationDate": pull.created,
            "title": pull.title,
            "description": pull.description if full else cut(pull.description),
            "sourceRefName": "refs/heads/" + pull.branch,
            "targetRefName": pull.target,
            "mergeStatus": pull.merge_status(),
            "isDraft": pull.draft,
            "mergeId": guid("merge", str(pull.number), pull.head),
            "reviewers": [self.reviewer(pull, one) for one in pull.reviewers],
            "url": url,
            "supportsIterations": True,
        }
        if not pull.description:
            del body["description"]
        if pull.closed:
            body["closedDate"] = pull.closed
        self._commits(body, pull, full)
        if pull.fork:
            name, head = "refs/heads/" + pull.branch, pull.source.git.ref("refs/heads/" + pull.branch)
            body["forkSource"] = {
                **self.ref(pull.source, name, head),
                "repository": self.repository(pull.source, shallow=True),
            }
        if pull.options:
            body["completionOptions"] = pull.options
        if pull.auto and pull.open:
            body["autoCompleteSetBy"] = self.identity(pull.auto)
        if pull.completing is not None:
            body["completionQueueTime"] = pull.queued
        if full:
            if pull.closed_by:
                body["closedBy"] = self.identity(pull.closed_by)
            body["artifactId"] = f"vstfs:///Git/PullRequestId/{repo.project.id}%2f{repo.id}%2f{pull.number}"
            body["_links"] = {"self": {"href": url}, "statuses": {"href": url + "/statuses"}}
        return body

    def label(self, name):
        return {"id": guid("label", name), "name": name, "active": True}

    def reviewer(self, pull, one):
        known = [token.identity for token in self.forge.tokens.values() if token.identity.id == one]
        return {"reviewerUrl": f"{self.base}/_apis/reviewers/{one}", "vote": pull.reviewers[one], **self.identity(known[0])}

    def _commits(self, body, pull, full):
        def short(oid):
            return {"commitId": oid, "url": f"{self.repository_url(pull.repository)}/commits/{oid}"}

        body["lastMergeSourceCommit"] = short(pull.shown_head)
        body["lastMergeTargetCommit"] = short(pull.base_sha)
        made = pull.merge_commit or (pull.test_merge if body["mergeStatus"] == "succeeded" else None)
        if made:
            body["lastMergeCommit"] = short(made)
            if full and pull.repository.git.has_commit(made):
                whole = self.commit(pull.repository, made)
                body["lastMergeCommit"] = {k: whole[k] for k in ("commitId", "author", "committer", "comment", "url")}
        if body["mergeStatus"] == "conflicts":
            body["mergeFailureType"] = "none"
        if body["mergeStatus"] == "failure":
            body["mergeFailureMessage"] = "The source branch of the pull request was modified or is gone."

    def iteration(self, pull, number):
        one = pull.iterations[number - 1]
        return {
            "id": number,
            "description": "",
            "author": self.identity(pull.creator),
            "createdDate": one["created"],
            "updatedDate": one["created"],
            "sourceRefCommit": {"commitId": one["source"]},
            "targetRefCommit": {"commitId": one["target"]},
            "commonRefCommit": {"commitId": one["target"]},
            "hasMoreCommits": False,
            "reason": one["reason"],
        }

    # Statuses

    def status(self, status, pull=None):
        body = {
            "id": status.number,
            "state": status.state,
            "description": status.description,
            "context": {"name": status.name, "genre": status.genre},
            "creationDate": status.created,
            "updatedDate": status.created,
            "createdBy": self.identity(status.creator),
            "targetUrl": status.target_url,
        }
        if status.iteration:
            body["iterationId"] = status.iteration
        if pull:
            url = f"{self.repository_url(pull.repository)}/pullRequests/{pull.number}/statuses/{status.number}"
            body["_links"] = {"self": {"href": url}}
        return body

    # Policies

    def policy_type(self, kind):
        return {"id": kind, "displayName": TYPES[kind], "url": f"{self.base}/_apis/policy/types/{kind}"}

    def policy(self, policy):
        return {
            "createdBy": {"id": guid("identity", "emilia"), "displayName": "emilia"},
            "createdDate": "2026-01-02T03:04:05.678Z",
            "isEnabled": policy.enabled,
            "isBlocking": policy.blocking,
            "isDeleted": False,
            "isEnterpriseManaged": False,
            "settings": {**policy.settings, "scope": policy.scope},
            "id": policy.id,
            "type": self.policy_type(policy.type),
            "revision": 1,
            "url": f"{self.base}/{policy.project.id}/_apis/policy/configurations/{policy.id}",
        }

    def evaluation(self, pull, policy, how):
        context = None
        if policy.type == STATUS:
            found = [s for s in pull.statuses if s.name == policy.settings["statusName"]]
            context = {"latestStatusId": found[-1].number if found else None}
        return {
            "configuration": self.policy(policy),
            "artifactId": f"vstfs:///CodeReview/CodeReviewId/{policy.project.id}/{pull.number}",
            "evaluationId": policy.evaluation_id(pull),
            "startedDate": pull.created,
            "status": how,
            "context": context,
        }
