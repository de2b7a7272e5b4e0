"""The REST API: a table of routes, which repositories.py, pulls.py and policies.py fill, and what all requests share:
versions, parameters, pages. https://learn.microsoft.com/rest/api/azure/devops

A handler gets a Call and returns (status, body), or (status, body, headers). Routes are below
/COLLECTION[/PROJECT]/_apis.
"""

import json
import re
import urllib.parse

from access import Refusal

ROUTES = []


class Route:
    """area, resource and location are what OPTIONS tells clients (and what their code knows routes by). path: {x} is a
    segment. scoped: whether a project stands before _apis ("maybe": it may be left out). preview: there is no released
    version of it."""

    def __init__(self, method, path, location, handler, scoped, preview):
        self.method, self.path, self.location, self.handler = method, path, location, handler
        self.scoped, self.preview = scoped, preview
        self.pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z", re.IGNORECASE)


def route(method, path, location=None, scoped="maybe", preview=False):
    def note(handler):
        ROUTES.append(Route(method, path, location, handler, scoped, preview))
        return handler

    return note


class Call:
    def __init__(self, forge, render, request, token, collection, project, names):
        self.forge, self.render, self.request, self.token = forge, render, request, token
        self.collection, self.project = collection, project
        self.names = {k: urllib.parse.unquote(v) for k, v in names.items()}
        self.repo = None
        if "repository" in names:
            self.repo = forge.repository(token, collection, project, self.names["repository"])

    def query(self, name, default=None):
        """Names are not case-sensitive; an empty value is none."""
        for key, values in self.request.query.items():
            if key.lower() == name.lower() and values[0]:
                return values[0]
        return default

    def number(self, name, default):
        text = self.query(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d+", text):
            raise Refusal(400, "VssPropertyValidationException", f"The value '{text}' is not valid for Int32.")
        return max(int(text), 0)

    def flag(self, name):
        return (self.query(name) or "").lower() == "true"

    def word(self, name, words, default=None):
        text = self.query(name)
        return default if text is None else word_of(words, text, name)

    def body(self, kind=dict):
        try:
            body = json.loads(self.request.body)
        except ValueError as e:
            # What is sent is bound to an argument; what cannot be is none.
            raise Refusal(400, "VssPropertyValidationException", "Value cannot be null.\r\nParameter name: body") from e
        if not isinstance(body, kind):
            raise Refusal(400, "VssPropertyValidationException", "Value cannot be null.\r\nParameter name: body")
        return body

    def page(self, items, show, top="$top", skip="$skip", default=100, most=1000):
        start, size = self.number(skip, 0), min(self.number(top, default), most)
        shown = [show(item) for item in items[start : start + size]]
        return 200, {"value": shown, "count": len(shown)}

    def continued(self, items, show, default=1000):
        """A list whose next page is asked for by a token from a header."""
        start, size = self.number("continuationToken", 0), self.number("$top", default)
        shown = [show(item) for item in items[start : start + size]]
        more = {"x-ms-continuationtoken": str(start + size)} if start + size < len(items) else {}
        return 200, {"value": shown, "count": len(shown)}, more

    def pull(self):
        number = self.names["number"]
        pulls = self.repo.pulls if self.repo else self.all_pulls()
        found = next((p for p in pulls if str(p.number) == number), None)
        if not found:
            raise Refusal(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.")
        return found

    def all_pulls(self):
        return [p for r in self.forge.within(self.token, self.collection, self.project) for p in r.pulls]


def word_of(words, value, where):
    """Of an enumeration, in whose order words are: a name, in small or capital letters, or a number."""
    found = next((w for i, w in enumerate(words) if str(value).lower() in (w.lower(), str(i))), None)
    if not found:
        raise Refusal(400, "VssPropertyValidationException", f"The value '{value}' is not valid for {where}.")
    return found


def version(call, matched):
    """The version that is asked for, checked:
    https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning"""
    request, settings = call.request, call.forge.settings
    given = call.query("api-version")
    if given is None:
        accept = re.search(r"api-version=([^;,\s]+)", request.headers.get("Accept") or "")
        given = accept and accept[1]
    if given is None:
        if request.method in ("GET", "OPTIONS"):
            return settings["released"]
        text = f'No api-version was supplied for the "{request.method}" request. The version must be supplied either as'
        text += ' part of the Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g.'
        raise Refusal(400, "VssVersionNotSpecifiedException", text + ' "?api-version=1.0").')
    match = re.fullmatch(r"(\d+)\.(\d+)(-preview(?:\.\d+)?)?", given)
    if not match:
        text = f"The api-version {given} is invalid. The format should be "
        text += "{major}.{minor}-{stage}.{resource-version}"
        raise Refusal(400, "VssInvalidApiResourceVersionException", text)
    wanted = (int(match[1]), int(match[2]))
    if wanted > tuple(map(int, settings["latest"].split("."))):
        text = (
            f"The requested REST API version of {match[1]}.{match[2]} is out of range for this server. The latest REST"
        )
        text += f" API version this server supports is {settings['latest']}."
        raise Refusal(400, "VssVersionOutOfRangeException", text)
    if not match[3] and (matched.preview or wanted > tuple(map(int, settings["released"].split(".")))):
        text = (
            f'The requested version "{given}" of the resource is under preview. The -preview flag must be supplied in'
        )
        text += f' the api-version for such requests. For example: "{given}-preview"'
        raise Refusal(400, "VssInvalidPreviewVersionException", text)
    return given


def find(method, path, scoped):
    """The route of a path below _apis; a Refusal says what there is instead."""
    others = False
    for one in ROUTES:
        match = one.pattern.match(path)
        if not match or one.scoped == ("no" if scoped else "yes"):
            continue
        if one.method == method:
            return one, match.groupdict()
        others = True
    text = f"The requested resource does not support http method '{method}'."
    if others:
        raise Refusal(405, "VssRequestContentTypeNotSupportedException", text)
    text = "The controller for path '/_apis/" + path + "' was not found or does not implement IController."
    raise Refusal(404, "VssServiceException", text)


def answer(forge, render, request, token, collection, project, path):
    matched, names = find(request.method, path, project is not None)
    call = Call(forge, render, request, token, collection, project, {})
    given = version(call, matched)
    if request.body and not (request.headers.get("Content-Type") or "").startswith("application/json"):
        text = "The request indicated a Content-Type of {} for method type {} which is not supported."
        text = text.format(repr(request.headers.get("Content-Type") or ""), repr(request.method))
        raise Refusal(415, "VssRequestContentTypeNotSupportedException", text)
    if project is not None:
        forge.project(collection, project)
    call = Call(forge, render, request, token, collection, project, names)
    for repository in list(forge.repositories.values()):
        if repository.project.collection.lower() == collection.lower():
            repository.proceed(subject(repository, path) if request.method == "GET" else None)
    status, body, *more = matched.handler(call)
    headers = {"Content-Type": f"application/json; charset=utf-8; api-version={given}"}
    return status, headers | (more[0] if more else {}), body


def subject(repository, path):
    """Which of its pull requests a path is about."""
    match = re.search(r"pullrequests/(\d+)\Z", path, re.IGNORECASE)
    return next((p for p in repository.pulls if match and p.number == int(match[1])), None)


def locations(forge, area):
    """What clients ask first, by OPTIONS: which routes there are."""
    shown = []
    for one in {one.location: one for one in ROUTES if one.location}.values():
        parts = one.path.split("/")
        parts = parts if len(parts) > 1 else ["Location", *parts]
        if parts[0].lower() != area.lower():
            continue
        template = ("" if one.scoped == "no" else "{project}/") + "_apis/" + one.path
        template = template.replace("{number}", "{pullRequestId}").replace("{repository}", "{repositoryId}")
        template = template.replace("{commit}", "{commitId}").replace("{iteration}", "{iterationId}")
        shown.append(
            {
                "id": one.location,
                "area": parts[0],
                "resourceName": parts[-1],
                "routeTemplate": template,
                "resourceVersion": 1,
                "minVersion": "1.0",
                "maxVersion": forge.settings["latest"],
                "releasedVersion": "0.0" if one.preview else forge.settings["released"],
            }
        )
    return shown
