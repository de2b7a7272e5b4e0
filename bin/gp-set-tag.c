/* gp-set-tag: sets the app's tag in an environment's manifests, as one commit on the base tip; no ref moves. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "promotion/base-branch.h"
#include "promotion/change.h"
#include "promotion/document.h"
#include "promotion/order.h"
#include "setter/worktree.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] =
	"usage: gp-set-tag [-hnqVv] [-C dir] [--allow-older] [--work-tree] [--provider name] [--remote name]\n"
	"\n"
	"Sets the app's tag at its markers below <group>/<env>/ of the base tip and writes\n"
	"one commit. No branch, index or work tree is touched.\n"
	"\n"
	"      --allow-older    also a release that is older than what is there\n"
	"  -n, --dry-run        show the diff on standard error and write nothing\n"
	"      --work-tree      edit the files of the work tree instead of making a commit\n" GP_HELP_COMMON;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	bool dry_run, work_tree, allow_older;
};

/* A diff on standard error: what stands in the files is neither a terminal's nor a CI system's command there. */
static int show(const char *diff, struct gp_err *err)
{
	char *clean = gp_clean_text(diff), *harmless = gp_ci_disarm(getenv, clean, "?");
	int rc = gp_write_all(STDERR_FILENO, harmless, strlen(harmless));

	free(harmless);
	free(clean);
	return rc ? gp_fail(err, GP_EXIT_SYSTEM, "cannot write to standard error") : 0;
}

static int show_diff(struct gp_git *git, const struct gp_file *file, struct gp_err *err)
{
	size_t len;
	char *old = gp_git_read_blob(git, &len, &file->from, err), *diff;

	if (!old)
		return -1;
	diff = gp_git_diff_text(file->path, old, len, file->text, file->len, err);
	free(old);
	if (!diff)
		return -1;
	int rc = show(diff, err);

	free(diff);
	return rc;
}

static char *branch_of(const struct gp_json *document, const struct gp_promotion *p, struct gp_err *err)
{
	struct gp_config config;
	char *branch;

	if (gp_config_from_json(&config, gp_json_get(document, "config"), err))
		return NULL;
	branch = gp_promotion_branch(p, config.per_env);
	gp_config_free(&config);
	return branch;
}

/* There may be nothing to do; and a job that was slower may bring an older release than is there. */
static bool is_skipped(const struct state *s, struct gp_json *document, const struct gp_promotion *p,
		       const struct gp_edits *edits)
{
	bool is_ruled;

	if (!edits->changed) {
		gp_tool_skip(s->tool, document, "%s/%s is at %s already in %s", p->group, p->app, p->tag, p->env);
		return true;
	}
	if (s->allow_older)
		gp_json_set_bool(document, "allow_older", true);
	char *objection = gp_order_objection(document, p, edits, &is_ruled);
	bool skip = objection && is_ruled && !s->allow_older;

	if (skip)
		gp_tool_skip(s->tool, document, "%s (see --allow-older)", objection);
	else if (objection)
		gp_tool_say(s->tool, -1, "warning: %s", objection);
	free(objection);
	return skip;
}

static int set_tag_in_base(struct state *s, struct gp_json *document, const struct gp_promotion *p,
			   const struct gp_setter *setter, bool dry_run, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1], *branch = branch_of(document, p, err);
	struct gp_change change = {0};
	struct gp_reads before, now;
	struct gp_oid oid;
	int rc = -1;

	if (!branch || gp_base_from_document(&s->base, document, err))
		goto out;
	before = gp_manifests_reads(s->base.manifests);
	if (gp_manifests_change(s->base.manifests, &change, &s->base.tree, p->env, setter, err))
		goto out;
	for (size_t i = 0; i < change.warning_count; i++)
		gp_tool_say(s->tool, -1, "warning: not set: %s", change.warnings[i]);
	now = gp_manifests_reads(s->base.manifests);
	gp_tool_say(s->tool, 1, "read %zu trees and %zu manifests, parsed %zu", now.trees - before.trees,
		    now.manifests - before.manifests, now.parsed - before.parsed);
	if (is_skipped(s, document, p, &change.edits)) {
		rc = 0;
		goto out;
	}
	if (dry_run) {
		for (size_t i = 0; i < change.file_count; i++)
			if (show_diff(s->base.repository.git, &change.files[i], err))
				goto out;
	} else if (gp_change_commit(&s->base, p, &change, &oid, err)) {
		goto out;
	}
	struct gp_json *member = gp_document_member(document, "change");

	gp_json_set_text(member, "branch", branch);
	gp_json_set_text(member, "commit", dry_run ? NULL : gp_oid_hex(hex, &oid));
	gp_json_set(member, "files", gp_change_files(&change.edits));
	gp_tool_say(s->tool, 1, "%s %zu scalars in %zu files for '%s'", dry_run ? "would set" : "set",
		    change.edits.changed, change.file_count, branch);
	rc = 0;
out:
	gp_change_free(&change);
	free(branch);
	return rc;
}

static int set_tag_in_work_tree(struct state *s, struct gp_json *document, const struct gp_promotion *p,
				const struct gp_setter *setter, bool dry_run, struct gp_err *err)
{
	char *top = gp_repository_work_tree(err);
	struct gp_edits edits = {0};
	int rc = -1;

	if (!top)
		return -1;
	rc = gp_worktree_set(top, p->env, setter, dry_run ? show : NULL, &edits, err);
	if (!rc && !edits.changed) {
		gp_tool_skip(s->tool, document, "%s/%s is at %s already in %s", p->group, p->app, p->tag, p->env);
	} else if (!rc) {
		struct gp_json *member = gp_document_member(document, "change");

		gp_json_remove(member, "branch");
		gp_json_remove(member, "commit");
		gp_json_set(member, "files", gp_change_files(&edits));
		gp_tool_say(s->tool, 0, "%s %zu scalars below '%s/%s'", dry_run ? "would set" : "set", edits.changed,
			    p->group, p->env);
	}
	gp_edits_free(&edits);
	free(top);
	return rc;
}

static int set_tag(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	struct gp_promotion p;

	if (gp_promotion_view(&p, gp_json_get(document, "promotion"), err))
		return -1;
	const struct gp_setter setter = {p.group, p.app, p.tag};
	bool dry_run = s->dry_run || gp_document_is_dry_run(document);

	if (dry_run)
		gp_json_set_bool(document, "dry_run", true);
	if (s->work_tree)
		return set_tag_in_work_tree(s, document, &p, &setter, dry_run, err);
	if (gp_tool_base(s->tool, &s->base, err))
		return -1;
	if (!dry_run)
		gp_repository_ask_identity(&s->base.repository);
	return set_tag_in_base(s, document, &p, &setter, dry_run, err);
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-set-tag", .help = help, .after = "gp-read-config ..."};
	struct state s = {.tool = &tool};
	const struct gp_option options[] = {{"dry-run", 'n', GP_OPTION_FLAG, &s.dry_run},
					    {"work-tree", 0, GP_OPTION_FLAG, &s.work_tree},
					    {"allow-older", 0, GP_OPTION_FLAG, &s.allow_older},
					    {0}};

	if (gp_tool_start(&tool, argc, argv, options))
		gp_tool_filter(&tool, set_tag, &s, false);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
