"""How the REST API shows things: every member that the published schemas require. Ids are made up but stay the same."""

import zlib

# Templates of a repository's links, as GitHub's schema "minimal-repository" has them.
LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
USER_LINKS = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
}


def number_of(text):
    return zlib.crc32(text.encode()) or 1


class Render:
    """api: the API's address; web: where people look."""

    def __init__(self, api, web):
        self.api, self.web = api, web

    def user(self, login):
        url = f"{self.api}/users/{login}"
        return {
            "login": login,
            "id": number_of(login),
            "node_id": f"U_{number_of(login):08x}",
            "avatar_url": f"{self.web}/avatars/{login}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.web}/{login}",
            "type": "User",
            "site_admin": False,
            **{name: url + tail for name, tail in USER_LINKS.items()},
        }

    def repo_url(self, repo):
        return f"{self.api}/repos/{repo.full_name}"

    def repository(self, repo, full=False):
        url, web = self.repo_url(repo), f"{self.web}/{repo.full_name}"
        host = self.web.split("://")[1]
        count = len(repo.open_pulls())
        body = {
            "id": repo.number,
            "node_id": repo.node,
            "name": repo.name,
            "full_name": repo.full_name,
            "owner": self.user(repo.owner),
            "private": repo.private,
            "description": None,
            "fork": repo.parent is not None,
            "url": url,
            "html_url": web,
            "clone_url": web + ".git",
            "git_url": f"git://{host}/{repo.full_name}.git",
            "ssh_url": f"git@{host}:{repo.full_name}.git",
            "svn_url": web,
            "default_branch": repo.default_branch,
            "homepage": None,
            "language": None,
            "license": None,
            "mirror_url": None,
            "archived": False,
            "disabled": False,
            "size": 0,
            "created_at": repo.created_at,
            "updated_at": repo.created_at,
            "pushed_at": repo.created_at,
            "open_issues": count,
            "open_issues_count": count,
            **dict.fromkeys(("has_downloads", "has_issues", "has_projects", "has_wiki"), True),
            **dict.fromkeys(("has_pages", "has_discussions"), False),
            **dict.fromkeys(("forks", "forks_count", "stargazers_count", "watchers", "watchers_count"), 0),
            **{name: url + tail for name, tail in LINKS.items()},
        }
        if full:
            body.update(network_count=0, subscribers_count=0, visibility="private" if repo.private else "public")
            body.update(allow_merge_commit=repo.allow["merge"], allow_squash_merge=repo.allow["squash"])
            body.update(allow_rebase_merge=repo.allow["rebase"], allow_auto_merge=repo.allow_auto_merge)
            body.update(delete_branch_on_merge=repo.delete_branch_on_merge)
        return body

    def _side(self, repo, branch, sha):
        return {
            "label": f"{repo.owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.user(repo.owner),
            "repo": self.repository(repo),
        }

    def pull(self, pull, full=False):
        repo = pull.repository
        url = f"{self.repo_url(repo)}/pulls/{pull.number}"
        issue = f"{self.repo_url(repo)}/issues/{pull.number}"
        web = f"{self.web}/{repo.full_name}/pull/{pull.number}"
        statuses = f"{self.repo_url(repo)}/statuses/{pull.head}"
        links = {
            "self": url,
            "html": web,
            "issue": issue,
            "comments": issue + "/comments",
            "review_comments": url + "/comments",
            "review_comment": f"{self.repo_url(repo)}/pulls/comments{{/number}}",
            "commits": url + "/commits",
            "statuses": statuses,
        }
        body = {
            "id": number_of(pull.node),
            "node_id": pull.node,
            "number": pull.number,
            "url": url,
            "html_url": web,
            "diff_url": web + ".diff",
            "patch_url": web + ".patch",
            "issue_url": issue,
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "comments_url": links["comments"],
            "statuses_url": statuses,
            "_links": {name: {"href": href} for name, href in links.items()},
            "state": pull.state,
            "locked": False,
            "title": pull.title,
            "body": pull.body,
            "user": self.user(pull.user),
            "labels": [self.label(repo, name) for name in pull.labels],
            "milestone": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [self.user(login) for login in pull.reviewers],
            "requested_teams": [self.team(repo, slug) for slug in pull.teams],
            "draft": pull.draft,
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": pull.closed_at,
            "merged_at": pull.merged_at,
            # Of an open one it is the test merge: https://docs.github.com/rest/pulls/pulls#get-a-pull-request
            "merge_commit_sha": pull.merge_commit or pull.test_merge,
            "head": self._side(pull.source, pull.branch, pull.head),
            "base": self._side(repo, pull.base, pull.base_sha),
            "author_association": "CONTRIBUTOR",
            "auto_merge": self._auto(pull),
        }
        if full:
            added, deleted, files = repo.git.changes(pull.base_sha, pull.head)
            body.update(additions=added, deletions=deleted, changed_files=files, comments=0, review_comments=0)
            body.update(commits=len(repo.git.ahead(pull.base_sha, pull.head)), maintainer_can_modify=False)
            body.update(merged=bool(pull.merged_at), merged_by=self.user(pull.merged_by) if pull.merged_by else None)
            still = pull.state == "open"
            body["mergeable"] = bool(pull.test_merge) if still else None
            body["mergeable_state"] = repo.merge_state(pull).lower() if still else "unknown"
            body["rebaseable"] = body["mergeable"]
        return body

    def label(self, repo, name):
        url = f"{self.repo_url(repo)}/labels/{name}"
        number = number_of(repo.node) + len(name)
        body = {"id": number, "node_id": f"LA_{number}", "url": url, "name": name, "color": "ededed"}
        return body | {"default": False, "description": None}

    def team(self, repo, slug):
        url = f"{self.api}/teams/{number_of(repo.node)}"
        body = {"id": number_of(repo.node), "node_id": "T_" + slug, "url": url, "name": slug, "slug": slug}
        body |= {"description": None, "privacy": "closed", "notification_setting": "notifications_enabled"}
        body |= {"permission": "pull", "members_url": url + "/members{/member}", "repositories_url": url + "/repos"}
        return body | {"html_url": f"{self.web}/orgs/{repo.owner}/teams/{slug}", "parent": None}

    def _auto(self, pull):
        auto = pull.auto
        if not auto:
            return None
        words = pull.repository.words(pull, auto["method"], auto["title"], auto["message"])
        title, _, message = words.rstrip().partition("\n\n")
        return {
            "enabled_by": self.user(auto["by"]),
            "merge_method": auto["method"],
            "commit_title": title,
            "commit_message": message,
        }

    def status(self, repo, status):
        return {
            "url": f"{self.repo_url(repo)}/statuses/{status.sha}",
            "avatar_url": f"{self.web}/avatars/{status.creator}",
            "id": status.number,
            "node_id": status.node,
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": status.created_at,
            "updated_at": status.created_at,
            "creator": self.user(status.creator),
        }

    def check_run(self, repo, run):
        url = f"{self.repo_url(repo)}/check-runs/{run.number}"
        return {
            "id": run.number,
            "node_id": run.node,
            "head_sha": run.sha,
            "name": run.context,
            "external_id": "",
            "url": url,
            "html_url": f"{self.web}/{repo.full_name}/runs/{run.number}",
            "details_url": run.details_url,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "check_suite": None,
            "app": None,
            "pull_requests": [],
            "output": {
                "title": None,
                "summary": None,
                "text": None,
                "annotations_count": 0,
                "annotations_url": url + "/annotations",
            },
        }

    def rule(self, repo, rule):
        checks = [{"context": context} for context in rule.contexts]
        return {
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": checks,
                "strict_required_status_checks_policy": rule.strict,
                "do_not_enforce_on_create": False,
            },
            "ruleset_source_type": "Repository",
            "ruleset_source": repo.full_name,
            "ruleset_id": repo.number,
        }

    def commit(self, repo, oid):
        url = self.repo_url(repo)
        who = repo.git.field(oid, "%an%n%ae%n%aI").split("\n")
        signed = dict(zip(("name", "email", "date"), who))
        tree = repo.git.tree(oid)
        return {
            "sha": oid,
            "node_id": "C_" + oid[:16],
            "url": f"{url}/commits/{oid}",
            "html_url": f"{self.web}/{repo.full_name}/commit/{oid}",
            "comments_url": f"{url}/commits/{oid}/comments",
            "author": None,
            "committer": None,
            "parents": [
                {"sha": parent, "url": f"{url}/commits/{parent}"} for parent in repo.git.field(oid, "%P").split()
            ],
            "commit": {
                "url": f"{url}/git/commits/{oid}",
                "author": signed,
                "committer": signed,
                "message": repo.git.field(oid, "%B"),
                "comment_count": 0,
                "tree": {"sha": tree, "url": f"{url}/git/trees/{tree}"},
            },
        }

    def branch(self, repo, name, oid):
        url = f"{self.repo_url(repo)}/branches/{name}"
        rule = repo.protection.get(name)
        classic = rule if rule and not rule.ruleset else None
        checks = {
            "enforcement_level": ("everyone" if classic.admins else "non_admins") if classic else "off",
            "contexts": classic.contexts if classic else [],
            "checks": [{"context": c, "app_id": None} for c in classic.contexts] if classic else [],
        }
        return {
            "name": name,
            "commit": self.commit(repo, oid),
            "_links": {"self": url, "html": f"{self.web}/{repo.full_name}/tree/{name}"},
            "protected": rule is not None,
            "protection": {"enabled": classic is not None, "required_status_checks": checks},
            "protection_url": url + "/protection",
        }
