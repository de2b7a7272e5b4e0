"""Who may do what: identities, tokens and their permissions, and the errors that Azure DevOps answers with.

Permissions have the names that TF401027 says. What people know them by:
https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference#git-repositories
"""

import uuid

from hub import serving

# Name in errors -> name in the web pages.
PERMISSIONS = {
    "GenericRead": "Read",
    "GenericContribute": "Contribute",
    "ForcePush": "Force push",
    "CreateBranch": "Create branch",
    "PullRequestContribute": "Contribute to pull requests",
    "PolicyExempt": "Bypass policies when pushing",
    "PullRequestBypassPolicy": "Bypass policies when completing pull requests",
    "EditPolicies": "Edit policies",
}
NOBODY = "00000000-0000-0000-0000-000000000000"


class Refusal(serving.Refusal):
    """An answer that is no success: JSON that names the exception by key."""

    def __init__(self, status, key, message, headers=None):
        super().__init__(status, message, headers)
        self.key = key

    def body(self):
        space = "Microsoft.VisualStudio.Services.Common"
        if self.key.startswith("Git"):
            space = "Microsoft.TeamFoundation.Git.Server"
        elif self.key == "InvalidArgumentValueException":
            space = "Microsoft.TeamFoundation.SourceControl.WebServer"
        return {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"{space}.{self.key}, {space}",
            "typeKey": self.key,
            "errorCode": 0,
            "eventId": 3000,
        }


def invalid(what):
    return Refusal(400, "InvalidArgumentValueException", "Invalid argument value.\r\nParameter name: " + what)


def no_repository(name):
    """The same for what is not there and for what may not be seen."""
    text = f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have permissions"
    return Refusal(404, "GitRepositoryNotFoundException", text + " for the operation you are attempting.")


def unresolvable(kind, version, repository):
    text = f"TF401175: The version descriptor <{kind}: {version} > could not be resolved to a version in the repository"
    return Refusal(404, "GitUnresolvableToCommitException", f"{text} {repository}")


def no_project(name):
    text = f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and"
    text += " that the project exists on the specified Azure DevOps Server."
    return Refusal(404, "ProjectDoesNotExistWithNameException", text)


def guid(*words):
    """The same for the same words, on every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "azdo:" + "/".join(words)))


class Identity:
    """Somebody: a person, or the build service of a project."""

    def __init__(self, login, name=None):
        self.login, self.name = login, name or login
        self.id = guid("identity", login)


class Token:
    """login: whose it is. kind: pat (Basic), job (System.AccessToken) or aad (both Bearer, or Basic). permissions:
    names as in PERMISSIONS, all of them by default. repositories: None is all, or a list of project/repository."""

    def __init__(self, identity, kind="pat", permissions=None, repositories=None, expired=False):
        self.identity, self.kind, self.repositories, self.expired = identity, kind, repositories, expired
        self.permissions = set(PERMISSIONS if permissions is None else permissions)
        unknown = self.permissions - set(PERMISSIONS)
        if unknown:
            raise ValueError(f"no such permission: {unknown}")

    @property
    def login(self):
        return self.identity.login

    def sees(self, repository):
        named = f"{repository.project.name}/{repository.name}"
        return "GenericRead" in self.permissions and (self.repositories is None or named in self.repositories)

    def lacks(self, permission, scope="repository"):
        """The Refusal where the permission is missing."""
        if permission in self.permissions:
            return None
        who = f"Build\\{self.identity.id}" if self.kind == "job" else f"{guid('tenant')}\\{self.login}@example.com"
        text = f"TF401027: You need the Git '{permission}' permission to perform this action."
        text += f" Details: identity '{who}', scope '{scope}'."
        return Refusal(403, "GitNeedsPermissionException", text)

    def require(self, permission, scope="repository"):
        refusal = self.lacks(permission, scope)
        if refusal:
            raise refusal
