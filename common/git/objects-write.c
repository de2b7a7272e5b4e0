/*
 * Writing to the object database. A signal that ends the program waits meanwhile: libgit2 would leave its temporary
 * file.
 */
#include <git2.h>
#include <stdlib.h>

#include "git/odb.h"
#include "sys/io.h"
#include "sys/mem.h"

static int write_object(struct gp_git *git, struct gp_oid *out, const void *data, size_t len, git_object_t type,
			struct gp_err *err)
{
	sigset_t before;
	git_oid id;

	if (gp_git_open_odb(git, err))
		return -1;
	gp_hold_signals(&before);
	int rc = git_odb_write(&id, git->odb, data, len, type);

	gp_release_signals(&before);
	if (rc)
		return gp_git_fail(err, type == GIT_OBJECT_TREE ? "cannot write a tree" : "cannot write a blob");
	*out = gp_git_from_id(&id);
	return 0;
}

int gp_git_write_blob(struct gp_git *git, struct gp_oid *out, const void *data, size_t len, struct gp_err *err)
{
	return write_object(git, out, data, len, GIT_OBJECT_BLOB, err);
}

int gp_git_write_tree(struct gp_git *git, struct gp_oid *out, const void *data, size_t len, struct gp_err *err)
{
	return write_object(git, out, data, len, GIT_OBJECT_TREE, err);
}

int gp_git_write_commit(struct gp_git *git, struct gp_oid *out, const struct gp_oid *tree, const struct gp_oid *parents,
			size_t parent_count, const struct gp_ident *author, const struct gp_ident *committer,
			const char *message, struct gp_err *err)
{
	const git_commit **lookup = gp_calloc(parent_count, sizeof *lookup);
	git_signature *a = NULL, *c = NULL;
	git_tree *t = NULL;
	sigset_t before;
	git_oid id;
	int rc = -1;

	if (gp_git_open_odb(git, err))
		goto out;
	if (git_signature_new(&a, author->name, author->email, author->time, author->offset_min) ||
	    git_signature_new(&c, committer->name, committer->email, committer->time, committer->offset_min)) {
		gp_git_fail(err, "not an identity for a commit");
		goto out;
	}
	git_oid tree_id = gp_git_to_id(tree);

	if (git_tree_lookup(&t, git->repo, &tree_id)) {
		gp_git_fail_at(err, "cannot read tree", tree);
		goto out;
	}
	for (size_t i = 0; i < parent_count; i++) {
		git_oid parent = gp_git_to_id(&parents[i]);

		if (git_commit_lookup((git_commit **)(uintptr_t)&lookup[i], git->repo, &parent)) {
			gp_git_fail_at(err, "cannot read commit", &parents[i]);
			goto out;
		}
	}
	gp_hold_signals(&before);
	int failed = git_commit_create(&id, git->repo, NULL, a, c, NULL, message, t, parent_count, lookup);

	gp_release_signals(&before);
	if (failed) {
		gp_git_fail(err, "cannot write a commit");
		goto out;
	}
	*out = gp_git_from_id(&id);
	rc = 0;
out:
	for (size_t i = 0; i < parent_count; i++)
		git_commit_free((git_commit *)(uintptr_t)lookup[i]);
	git_tree_free(t);
	git_signature_free(a);
	git_signature_free(c);
	free(lookup);
	return rc;
}

int gp_git_merge(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours, const struct gp_oid *theirs,
		 struct gp_err *err)
{
	git_oid our_id = gp_git_to_id(ours), their_id = gp_git_to_id(theirs), id;
	git_merge_options options;
	git_commit *a = NULL, *b = NULL;
	git_index *index = NULL;
	sigset_t before;
	int rc = -1;

	if (gp_git_open_odb(git, err))
		return -1;
	git_merge_options_init(&options, GIT_MERGE_OPTIONS_VERSION);
	options.flags = GIT_MERGE_FIND_RENAMES;
	if (git_commit_lookup(&a, git->repo, &our_id) || git_commit_lookup(&b, git->repo, &their_id)) {
		gp_git_fail(err, "cannot read what is to be merged");
		goto out;
	}
	/* This writes the files that both sides have changed. */
	gp_hold_signals(&before);
	if (git_merge_commits(&index, git->repo, a, b, &options)) {
		gp_git_fail(err, "cannot merge");
	} else if (git_index_has_conflicts(index)) {
		rc = 0;
	} else if (git_index_write_tree_to(&id, index, git->repo)) {
		gp_git_fail(err, "cannot write the merged tree");
	} else {
		*out = gp_git_from_id(&id);
		rc = 1;
	}
	gp_release_signals(&before);
out:
	git_index_free(index);
	git_commit_free(a);
	git_commit_free(b);
	return rc;
}
