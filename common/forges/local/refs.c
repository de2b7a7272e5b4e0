#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forges/local/local.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"

/* Takes one line of for-each-ref, "OID NAME[ WORK TREE]", which is cut up. */
static int add_listed(struct gp_local *local, char *line, struct gp_err *err)
{
	struct gp_local_ref *ref;
	char *name = strchr(line, ' '), *where = name ? strchr(name + 1, ' ') : NULL;

	local->refs = gp_grow(local->refs, local->ref_count, sizeof *local->refs);
	ref = &local->refs[local->ref_count];
	*ref = (struct gp_local_ref){0};
	if (!name || !where)
		return gp_fail(err, GP_EXIT_SYSTEM, "git for-each-ref printed '%s'", line);
	*name++ = *where++ = '\0';
	if (gp_oid_parse(&ref->old, line))
		return gp_fail(err, GP_EXIT_CONFIG, "repository '%s' uses another object format than sha1", local->dir);
	ref->new = ref->old;
	ref->name = gp_strdup(name);
	/* A bare repository's own directory counts as a work tree of its HEAD in some versions of git. */
	if (*where && strcmp(where, local->dir))
		ref->work_tree = gp_strdup(where);
	local->ref_count++;
	return 0;
}

int gp_local_read_refs(struct gp_local *local, bool branches, struct gp_err *err)
{
	const char *const args[] = {"for-each-ref", "--format=%(objectname) %(refname) %(worktreepath)", GP_LOCAL_STATE,
				    branches ? "refs/heads" : NULL, NULL};
	char *out, *save = NULL;
	int rc = 0;

	if (gp_local_git(local, &out, NULL, 0, args, NULL, 0, err) < 0)
		return -1;
	for (char *line = strtok_r(out, "\n", &save); line && !rc; line = strtok_r(NULL, "\n", &save))
		rc = add_listed(local, line, err);
	local->sorted_refs = local->ref_count;
	free(out);
	return rc;
}

static int by_name(const void *name, const void *ref)
{
	return strcmp(name, ((const struct gp_local_ref *)ref)->name);
}

static struct gp_local_ref *find_ref(struct gp_local *local, const char *name)
{
	struct gp_local_ref *found = NULL;

	if (local->sorted_refs)
		found = bsearch(name, local->refs, local->sorted_refs, sizeof *local->refs, by_name);
	for (size_t i = local->sorted_refs; i < local->ref_count && !found; i++)
		if (!strcmp(local->refs[i].name, name))
			found = &local->refs[i];
	return found;
}

static struct gp_local_ref *need_ref(struct gp_local *local, const char *name)
{
	struct gp_local_ref *ref = find_ref(local, name);

	if (ref)
		return ref;
	local->refs = gp_reallocarray(local->refs, local->ref_count + 1, sizeof *local->refs);
	ref = &local->refs[local->ref_count++];
	*ref = (struct gp_local_ref){.name = gp_strdup(name)};
	return ref;
}

const struct gp_oid *gp_local_state(struct gp_local *local)
{
	const struct gp_local_ref *ref = find_ref(local, GP_LOCAL_STATE);

	return ref && !gp_oid_is_zero(&ref->new) ? &ref->new : NULL;
}

struct gp_local_ref *gp_local_branch(struct gp_local *local, const char *branch)
{
	char *name = gp_asprintf("refs/heads/%s", branch);
	struct gp_local_ref *ref = find_ref(local, name);

	free(name);
	return ref && !gp_oid_is_zero(&ref->new) ? ref : NULL;
}

void gp_local_set_ref(struct gp_local *local, const char *name, const struct gp_oid *oid)
{
	struct gp_local_ref *ref = need_ref(local, name);

	/* Only the listed namespaces are known; under refs/pull, the state's own compare-and-swap is the guard. */
	ref->unread = !strncmp(name, "refs/pull/", 10);
	ref->new = *oid;
}

void gp_local_rely(struct gp_local *local, const char *branch)
{
	char *name = gp_asprintf("refs/heads/%s", branch);

	need_ref(local, name)->relied_on = true;
	free(name);
}

/* The input of `git update-ref --stdin -z`: one transaction, all or nothing. */
static char *transaction(const struct gp_local *local, size_t *len)
{
	char *text = NULL, old[GP_OID_HEX + 1], new[GP_OID_HEX + 1];
	FILE *f = gp_open_text(&text, len);

	for (size_t i = 0; i < local->ref_count; i++) {
		const struct gp_local_ref *r = &local->refs[i];

		gp_oid_hex(old, &r->old);
		if (r->unread)
			*old = '\0';
		gp_oid_hex(new, &r->new);
		if (r->unread && gp_oid_is_zero(&r->new))
			fprintf(f, "delete %s%c%c", r->name, 0, 0);
		else if (r->unread || !gp_oid_equal(&r->old, &r->new))
			fprintf(f, "update %s%c%s%c%s%c", r->name, 0, new, 0, old, 0);
		else if (r->relied_on)
			fprintf(f, "verify %s%c%s%c", r->name, 0, old, 0);
	}
	gp_close_text(f, &text);
	return text;
}

/* A killed git leaves its locks, and no other git passes them: the holder of our lock removes them. */
static void break_locks(const struct gp_local *local)
{
	if (local->lock < 0)
		return;
	gp_local_break_lock(local, "packed-refs");
	/* git takes this one for the branch that HEAD points to. */
	gp_local_break_lock(local, "HEAD");
	for (size_t i = 0; i < local->ref_count; i++)
		if (local->refs[i].unread || local->refs[i].relied_on ||
		    !gp_oid_equal(&local->refs[i].old, &local->refs[i].new))
			gp_local_break_lock(local, local->refs[i].name);
}

int gp_local_move_refs(struct gp_local *local, struct gp_err *lost)
{
	static const char *const args[] = {"update-ref", "--stdin", "-z", "-m", "gp-forge-local", NULL};
	size_t len = 0;
	char *text;

	if (gp_oid_is_zero(&need_ref(local, GP_LOCAL_STATE)->old) && gp_local_hide_refs(local, lost))
		return -1;
	break_locks(local);
	text = transaction(local, &len);
	int rc = gp_local_git(local, NULL, NULL, 0, args, text, len, lost);

	free(text);
	return rc;
}

bool gp_local_has_changes(struct gp_local *local)
{
	const struct gp_local_ref *state = find_ref(local, GP_LOCAL_STATE);

	return state && !gp_oid_equal(&state->old, &state->new);
}
