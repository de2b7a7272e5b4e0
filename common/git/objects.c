#include <git2/sys/repository.h>
#include <stdlib.h>
#include <string.h>

#include "git/memory.h"
#include "git/odb.h"
#include "sys/exit.h"
#include "sys/mem.h"

int gp_git_fail(struct gp_err *err, const char *what)
{
	const git_error *e = git_error_last();

	return gp_fail(err, GP_EXIT_SYSTEM, "%s: %s", what, e && e->message ? e->message : "unknown git error");
}

int gp_git_fail_at(struct gp_err *err, const char *what, const struct gp_oid *oid)
{
	char hex[GP_OID_HEX + 1];
	char *text = gp_asprintf("%s %s", what, gp_oid_hex(hex, oid));

	gp_git_fail(err, text);
	free(text);
	return -1;
}

git_oid gp_git_to_id(const struct gp_oid *oid)
{
	git_oid out;

	git_oid_fromraw(&out, oid->id);
	return out;
}

struct gp_oid gp_git_from_id(const git_oid *oid)
{
	struct gp_oid out;

	memcpy(out.id, oid->id, GP_OID_SIZE);
	return out;
}

bool gp_git_is_partial(const struct gp_git *git)
{
	return git->missing != NULL;
}

struct gp_git *gp_git_open(const char *objects_dir)
{
	struct gp_git *git = gp_calloc(1, sizeof *git);

	git->objects_dir = gp_strdup(objects_dir);
	return git;
}

int gp_git_start(struct gp_err *err)
{
	gp_git_use_memory();
	return git_libgit2_init() < 0 ? gp_git_fail(err, "libgit2 cannot be started") : 0;
}

int gp_git_open_odb(struct gp_git *git, struct gp_err *err)
{
	if (git->odb)
		return 0;
	if (gp_git_start(err))
		return -1;
	/* Objects only: no configuration of this machine may change what is read or written. */
	for (int level = GIT_CONFIG_LEVEL_PROGRAMDATA; level <= GIT_CONFIG_LEVEL_GLOBAL; level++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
	/* git does not hash what it reads either, and hashing doubles the time of reading many blobs. */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	if (!git_odb_open(&git->odb, git->objects_dir) && !git_repository_wrap_odb(&git->repo, git->odb))
		return 0;
	gp_git_fail(err, "cannot open the object database");
	git_odb_free(git->odb);
	git->odb = NULL;
	git_libgit2_shutdown();
	return -1;
}

void gp_git_free(struct gp_git *git)
{
	if (!git)
		return;
	git_repository_free(git->repo);
	git_odb_free(git->odb);
	if (git->odb)
		git_libgit2_shutdown();
	free(git->objects_dir);
	free(git);
}

bool gp_git_has(struct gp_git *git, const struct gp_oid *oid)
{
	git_oid id = gp_git_to_id(oid);
	struct gp_err none = {0};

	return !gp_git_open_odb(git, &none) && git_odb_exists(git->odb, &id);
}

void gp_git_on_missing(struct gp_git *git, gp_git_missing_fn *fn, void *ctx)
{
	git->missing = fn;
	git->missing_ctx = ctx;
}

int gp_git_need_blobs(struct gp_git *git, const struct gp_oid *oids, size_t n, struct gp_err *err)
{
	struct gp_oid *wanted;
	size_t count = 0;
	int rc = 0;

	if (!git->missing)
		return 0;
	if (gp_git_open_odb(git, err))
		return -1;
	wanted = gp_calloc(n, sizeof *wanted);
	for (size_t i = 0; i < n; i++) {
		git_oid id = gp_git_to_id(&oids[i]);

		if (!git_odb_exists_ext(git->odb, &id, GIT_ODB_LOOKUP_NO_REFRESH))
			wanted[count++] = oids[i];
	}
	if (count) {
		rc = git->missing(git->missing_ctx, wanted, count, err);
		git_odb_refresh(git->odb);
	}
	free(wanted);
	return rc;
}

int gp_git_read_commit(struct gp_git *git, struct gp_commit *out, const struct gp_oid *oid, struct gp_err *err)
{
	git_oid id = gp_git_to_id(oid);
	git_commit *commit;
	int rc;

	*out = (struct gp_commit){0};
	if (gp_git_open_odb(git, err))
		return -1;
	rc = git_commit_lookup(&commit, git->repo, &id);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc)
		return gp_git_fail_at(err, "cannot read commit", oid);
	out->tree = gp_git_from_id(git_commit_tree_id(commit));
	out->parent_count = git_commit_parentcount(commit);
	out->parents = gp_calloc(out->parent_count, sizeof *out->parents);
	for (size_t i = 0; i < out->parent_count; i++)
		out->parents[i] = gp_git_from_id(git_commit_parent_id(commit, (unsigned)i));
	out->message = gp_strdup(git_commit_message_raw(commit));
	git_commit_free(commit);
	return 1;
}

void gp_commit_free(struct gp_commit *commit)
{
	free(commit->parents);
	free(commit->message);
	*commit = (struct gp_commit){0};
}

bool gp_entry_is_dir(const struct gp_entry *entry)
{
	return entry->mode == GIT_FILEMODE_TREE;
}

bool gp_entry_is_file(const struct gp_entry *entry)
{
	return entry->mode == GIT_FILEMODE_BLOB || entry->mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

int gp_git_read_object(struct gp_git *git, struct gp_object *out, const struct gp_oid *oid, bool tree,
		       struct gp_err *err)
{
	git_oid id = gp_git_to_id(oid);
	git_odb_object *object;
	int rc;

	*out = (struct gp_object){0};
	if (gp_git_open_odb(git, err))
		return -1;
	rc = git_odb_read(&object, git->odb, &id);
	if (rc == GIT_ENOTFOUND && !tree && git->missing) {
		if (gp_git_need_blobs(git, oid, 1, err))
			return -1;
		rc = git_odb_read(&object, git->odb, &id);
	}
	if (rc)
		return gp_git_fail_at(err, tree ? "cannot read tree" : "cannot read blob", oid);
	if (git_odb_object_type(object) != (tree ? GIT_OBJECT_TREE : GIT_OBJECT_BLOB)) {
		char hex[GP_OID_HEX + 1];

		git_odb_object_free(object);
		return gp_fail(err, GP_EXIT_SYSTEM, "object %s is not a %s", gp_oid_hex(hex, oid),
			       tree ? "tree" : "blob");
	}
	*out = (struct gp_object){git_odb_object_data(object), git_odb_object_size(object), object};
	return 0;
}

void gp_object_free(struct gp_object *object)
{
	git_odb_object_free(object->handle);
	*object = (struct gp_object){0};
}

char *gp_git_read_blob(struct gp_git *git, size_t *len, const struct gp_oid *oid, struct gp_err *err)
{
	struct gp_object object;
	git_oid id = gp_git_to_id(oid);
	git_object_t type;
	char hex[GP_OID_HEX + 1];

	if (gp_git_open_odb(git, err))
		return NULL;
	/* A few bytes in a pack can be a blob of any size. A missing one is fetched below. */
	if (!git_odb_read_header(len, &type, git->odb, &id) && *len > GP_GIT_MAX_BLOB) {
		gp_fail(err, GP_EXIT_INPUT, "blob %s has more than %d MiB", gp_oid_hex(hex, oid),
			GP_GIT_MAX_BLOB >> 20);
		return NULL;
	}
	if (gp_git_read_object(git, &object, oid, false, err))
		return NULL;
	*len = object.len;
	char *data = gp_memdup0(object.data, object.len);

	gp_object_free(&object);
	return data;
}

int gp_git_hash_blob(struct gp_oid *out, const void *data, size_t len, struct gp_err *err)
{
	git_oid id;
	int rc;

	if (gp_git_start(err))
		return -1;
	rc = git_odb_hash(&id, data, len, GIT_OBJECT_BLOB) ? gp_git_fail(err, "cannot hash a blob") : 0;
	if (!rc)
		*out = gp_git_from_id(&id);
	git_libgit2_shutdown();
	return rc;
}

int gp_ident_parse(struct gp_ident *out, const char *line, struct gp_err *err)
{
	git_signature *s = NULL;
	int rc = 0;

	if (gp_git_start(err))
		return -1;
	if (git_signature_from_buffer(&s, line))
		rc = gp_fail(err, GP_EXIT_SYSTEM, "not an identity: '%s'", line);
	else
		*out = (struct gp_ident){gp_strdup(s->name), gp_strdup(s->email), s->when.time, s->when.offset};
	git_signature_free(s);
	git_libgit2_shutdown();
	return rc;
}

void gp_ident_free(struct gp_ident *ident)
{
	free(ident->name);
	free(ident->email);
	*ident = (struct gp_ident){0};
}

int gp_git_merge_base(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours, const struct gp_oid *theirs,
		      struct gp_err *err)
{
	git_oid our_id = gp_git_to_id(ours), their_id = gp_git_to_id(theirs);
	git_oidarray bases = {0};
	int rc, found;

	if (gp_git_open_odb(git, err))
		return -1;
	rc = git_merge_bases(&bases, git->repo, &our_id, &their_id);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc)
		return gp_git_fail_at(err, "cannot follow the history of", theirs);
	*out = gp_git_from_id(&bases.ids[0]);
	found = bases.count > 1 ? 2 : 1;
	git_oidarray_dispose(&bases);
	return found;
}

int gp_git_is_ancestor(struct gp_git *git, const struct gp_oid *ancestor, const struct gp_oid *commit,
		       struct gp_err *err)
{
	git_oid a = gp_git_to_id(ancestor), c = gp_git_to_id(commit);

	if (gp_oid_equal(ancestor, commit))
		return 1;
	if (gp_git_open_odb(git, err))
		return -1;
	int rc = git_graph_descendant_of(git->repo, &c, &a);

	return rc < 0 ? gp_git_fail_at(err, "cannot follow the history of", commit) : rc;
}

char *gp_git_diff_text(const char *path, const char *from, size_t from_len, const char *to, size_t to_len,
		       struct gp_err *err)
{
	git_patch *patch = NULL;
	git_buf text = {0};
	git_diff_options options;
	char *out = NULL;

	if (gp_git_start(err))
		return NULL;
	git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.flags = GIT_DIFF_FORCE_TEXT;
	if (git_patch_from_buffers(&patch, from, from_len, path, to, to_len, path, &options) ||
	    git_patch_to_buf(&text, patch))
		gp_git_fail(err, "cannot compare two versions of a file");
	else
		out = gp_memdup0(text.ptr, text.size);
	git_buf_dispose(&text);
	git_patch_free(patch);
	git_libgit2_shutdown();
	return out;
}

int gp_git_file_merges(struct gp_git *git, const struct gp_oid *base, const struct gp_oid *ours,
		       const struct gp_oid *theirs, struct gp_err *err)
{
	enum { SIDES = 3 };
	const struct gp_oid oids[SIDES] = {*base, *ours, *theirs};
	git_merge_file_input side[SIDES];
	git_merge_file_result merged = {0};
	char *text[SIDES] = {NULL};
	int rc = gp_git_need_blobs(git, oids, SIDES, err);

	for (size_t i = 0; i < SIDES && !rc; i++) {
		git_merge_file_input_init(&side[i], GIT_MERGE_FILE_INPUT_VERSION);
		text[i] = gp_git_read_blob(git, &side[i].size, &oids[i], err);
		side[i].ptr = text[i];
		rc = text[i] ? 0 : -1;
	}
	if (!rc)
		rc = git_merge_file(&merged, &side[0], &side[1], &side[2], NULL)
			     ? gp_git_fail(err, "cannot merge a file")
		     : merged.automergeable ? 1
					    : 0;
	git_merge_file_result_free(&merged);
	for (size_t i = 0; i < SIDES; i++)
		free(text[i]);
	return rc;
}
