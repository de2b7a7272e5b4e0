#!/usr/bin/env python3
"""A forge like Azure DevOps on a loopback port: git over HTTP and the REST API, as far as gp and its tests use them.

server.py --root DIR [--tls CERT KEY] [--log FILE] [--parent PID]

Prints its URL; how it runs and what it logs is in test/fakes/hub/serving.py. Collections are at URL/COLLECTION, their
repositories at URL/COLLECTION/PROJECT/_git/REPOSITORY, the API at URL/COLLECTION/[PROJECT/]_apis, and what tests do to
it below URL/_test/ (testapi.py).
"""

import os
import re
import shlex
import sys
import urllib.parse

sys.dont_write_bytecode = not sys.pycache_prefix  # beside the sources, that is
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import policies  # noqa: F401 (routes)
import pulls  # noqa: F401 (routes)
import repositories  # noqa: F401 (routes)
import rest
import testapi
from access import Refusal
from hub import githttp, serving
from hub.gitrepo import ZERO
from model import Forge
from render import Render

GIT_PATH = re.compile(r"/([^/]+)(?:/([^/]+))?/_git/([^/]+)(/(?:info/refs|git-upload-pack|git-receive-pack))\Z")
API_PATH = re.compile(r"/([^/]+)(?:/([^/]+))?/_apis(?:/(.*))?\Z")

# https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
CHALLENGE = {
    "WWW-Authenticate": [
        "Bearer authorization_uri=https://login.microsoftonline.com/" + "0" * 8,
        'Basic realm="https://example.com/"',
        "TFS-Federated",
    ]
}
SIGN_IN = b"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN">
<html lang="en-US"><head><title>Azure DevOps Services | Sign In</title></head>
<body class="SignedOutPage"><p>Sign in to your account</p></body></html>
"""

LOSSES = """
while read -r old new ref; do
	case " $own $old$new " in *" $ref "* | *0000000000000000000000000000000000000000*) continue ;; esac
	git merge-base --is-ancestor "$old" "$new" || printf '%s\\n' "$ref" >>"$FORGE_FOUND"
done
[ ! -e "$FORGE_FOUND" ]
"""


class SignIn(Refusal):
    """Credentials that are missing or wrong."""

    def __init__(self, token_given, why=None):
        self.token_given, self.why = token_given, why
        super().__init__(
            401,
            "UnauthorizedRequestException",
            why or "TF400813: The user '' is not authorized to access this resource.",
        )


class Judge(githttp.Judge):
    def __init__(self, forge, repository, token):
        self.forge, self.repository, self.token = forge, repository, token

    @property
    def hook(self):
        """Whether a branch loses commits shows only with the new ones at hand."""
        if "ForcePush" in self.token.permissions:
            return ""
        own = " ".join(ref for ref, login in self.repository.made_by.items() if login == self.token.login)
        return f"own={shlex.quote(own)}\n{LOSSES}"

    def before(self, pushes):
        said, reasons = super().before(pushes)
        for old, new, ref in pushes:
            refusal = None
            if old == ZERO:
                refusal = self.token.lacks("CreateBranch", "branch") if ref.startswith("refs/heads/") else None
            elif self.repository.protected(ref) and "PolicyExempt" not in self.token.permissions:
                text = "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this"
                text += " branch."
                refusal = Refusal(403, "GitRefUpdateRejectedByPolicyException", text)
            elif new == ZERO and not self.repository.may_force(self.token, ref):
                refusal = self.token.lacks("ForcePush", "branch")
            if refusal and ref not in reasons:
                reasons[ref] = refusal.message
        return said, reasons

    def after(self, pushes, found):
        """found: the refs that would lose commits."""
        return [], {ref: self.token.lacks("ForcePush", "branch").message for ref in found}

    def landed(self, pushes):
        for old, new, ref in pushes:
            if old == ZERO:
                self.repository.made_by[ref] = self.token.login
            if new == ZERO:
                self.repository.made_by.pop(ref, None)
        self.forge.pushed(self.repository, self.token)


class AzureDevOps(serving.Service):
    name = "azure.test"

    def route(self, request):
        git = GIT_PATH.match(request.path)
        if not git:
            return None, ""
        collection, project, name = (p and urllib.parse.unquote(p) for p in git.groups()[:3])
        # The project's own repository goes without its project's name.
        return (collection, project or name, name), git[4]

    def authenticate(self, request):
        given = serving.credentials(request)
        if not given:
            raise SignIn(False)
        scheme, _, secret = given
        token = self.model.tokens.get(secret) if scheme in ("basic", "bearer") else None
        # A personal access token is no Bearer token.
        if not token or (scheme == "bearer" and token.kind == "pat"):
            raise SignIn(True)
        if token.expired:
            raise SignIn(True, "Access Denied: The Personal Access Token used has expired.")
        return token

    def answer(self, request, token):
        if request.repository:
            return self.git(request, token)
        match = API_PATH.match(request.path)
        if not match:
            raise Refusal(404, "HttpResourceNotFoundException", "Page not found.")
        collection, project, path = (p and urllib.parse.unquote(p) for p in match.groups())
        if request.method == "OPTIONS":
            found = rest.locations(self.model, (match[3] or "").split("/")[0])
            return 200, {}, {"value": found, "count": len(found)}
        render = Render(self.model, collection)
        return rest.answer(self.model, render, request, token, collection, project, match[3] or "")

    def git(self, request, token):
        collection, project, name = request.repository
        repository = self.model.repository(token, collection, project, name)
        if "git-receive-pack" in request.rest + request.query_string:
            token.require("GenericContribute")
        repository.proceed()
        return githttp.serve(repository.git, request, token.login, Judge(self.model, repository, token))

    def refused(self, request, refusal):
        if isinstance(refusal, SignIn):
            return self.sign_in(request, refusal)
        if request.repository:
            # git shows it as "remote: …".
            return refusal.status, {"Content-Type": "text/plain; charset=utf-8"}, (refusal.message + "\n").encode()
        body = refusal.body() if isinstance(refusal, Refusal) else {"message": refusal.message}
        return refusal.status, refusal.headers, body

    @staticmethod
    def sign_in(request, refusal):
        """A page for people, with a status that is no error, unless they say that they are a program."""
        suppressed = (request.headers.get("X-TFS-FedAuthRedirect") or "").lower() == "suppress"
        if request.repository or suppressed or refusal.why:
            text = (refusal.message + "\n").encode()
            return 401, {**CHALLENGE, "Content-Type": "text/plain; charset=utf-8"}, text
        if not refusal.token_given and request.method == "GET":
            where = "https://spsprodweu5.vssps.visualstudio.com/_signin?realm=example.com"
            return 302, {"Location": where, "Content-Type": "text/html; charset=utf-8"}, SIGN_IN
        return 203, {"Content-Type": "text/html; charset=utf-8"}, SIGN_IN

    def arrange(self, method, parts, body):
        return testapi.answer(self.model, method, parts, body)


if __name__ == "__main__":
    serving.main(lambda root: AzureDevOps(Forge(root)))
