"""Who may do what: tokens and their permissions, and the errors that GitHub answers with.

Permission names are those of https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
"""

from hub import serving

LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}

# What a refusal calls the token (and the header names what was missing):
# https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
KINDS = {"pat": "personal access token", "app": "integration"}

DOCS = "https://docs.github.com/rest"


class Refusal(serving.Refusal):
    """An answer that is no success: for REST a status with a JSON body, for GraphQL an error with a type."""

    def __init__(self, status, message, errors=None, headers=None, kind=None):
        super().__init__(status, message, headers)
        self.errors = errors
        self.kind = kind

    def body(self):
        body = {"message": self.message}
        if self.errors:
            body["errors"] = self.errors
        body["documentation_url"] = DOCS
        body["status"] = str(self.status)
        return body


def not_found():
    return Refusal(404, "Not Found", kind="NOT_FOUND")


class Token:
    """login: whose it is; kind: pat or app; permissions: name -> read or write; admin: past branch protection, as an
    administrator's is where a rule does not include administrators; repositories: None is all."""

    def __init__(self, login, kind="pat", permissions=None, admin=False, repositories=None, expired=False):
        self.login = login
        self.kind = kind
        self.permissions = permissions or {}
        self.admin = admin
        self.repositories = repositories
        self.expired = expired

    def allows(self, needed):
        name, level = needed.split("=")
        return LEVELS[self.permissions.get(name, "none")] >= LEVELS[level]

    def sees(self, repository):
        return self.repositories is None or repository.full_name in self.repositories

    def require(self, *alternatives):
        """Each alternative is "a=read,b=write"; one of them has to hold whole."""
        if any(all(self.allows(n) for n in a.split(",")) for a in alternatives):
            return
        raise Refusal(
            403,
            f"Resource not accessible by {KINDS[self.kind]}",
            headers={"X-Accepted-GitHub-Permissions": "; ".join(alternatives)},
            kind="FORBIDDEN",
        )


ALL = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "statuses": "write",
    "checks": "write",
    "workflows": "write",
    "administration": "write",
}
