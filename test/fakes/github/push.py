"""What GitHub has to say before a push lands: branch protection, and who may change workflows."""

from hub import githttp
from hub.gitrepo import ZERO

# Workflow files need a permission of their own.
WORKFLOWS = """
while read -r old new ref; do
	case $new in *[!0]*) ;; *) continue ;; esac
	file=$(git log -m --format= --name-only "$new" --not --all -- .github/workflows | head -n 1)
	[ -z "$file" ] || {
		printf '%s' "$file" >"$FORGE_FOUND"
		exit 1
	}
done
"""


def protected(repository, token, pushes):
    """What branch protection says of a push: (lines, reasons), empty where it may land. The words are those that
    users quote; https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches"""
    lines, reasons = [], {}
    for old, new, ref in pushes:
        branch = ref.removeprefix("refs/heads/")
        rule = repository.protection.get(branch) if branch != ref else None
        if not rule or (token.admin and not rule.admins):
            continue
        said = []
        if new == ZERO:
            said = ["Cannot delete this branch"]
        elif old != ZERO and repository.git.has_commit(new) and not repository.git.is_ancestor(old, new):
            said = ["Cannot force-push to this branch"]
        else:
            said = repository.missing_checks(branch, new)
        if not said:
            continue
        if rule.ruleset:
            lines += [f"error: GH013: Repository rule violations found for {ref}.", ""] + ["- " + s for s in said]
            reasons[ref] = "push declined due to repository rule violations"
        else:
            lines += [f"error: GH006: Protected branch update failed for {ref}."] + ["error: " + s for s in said]
            reasons[ref] = "protected branch hook declined"
    return lines, reasons


class Judge(githttp.Judge):
    def __init__(self, forge, repository, token):
        self.forge, self.repository, self.token = forge, repository, token

    @property
    def hook(self):
        return "" if self.token and self.token.allows("workflows=write") else WORKFLOWS

    def before(self, pushes):
        lines, reasons = protected(self.repository, self.token, pushes)
        return lines, {**reasons, **super().before(pushes)[1]}

    def after(self, pushes, found):
        who = "a Personal Access Token" if self.token.kind == "pat" else "a GitHub App"
        need = "`workflow` scope" if self.token.kind == "pat" else "`workflows` permission"
        why = f"refusing to allow {who} to create or update workflow `{found[0]}` without {need}"
        return [], {ref: why for _, _, ref in pushes}

    def landed(self, pushes):
        self.forge.pushed(self.repository, self.token)
