/*
 * tree-driver.c - common/git/tree.h on a command line, for test/units/tree.bats: tree-driver OBJECTS-DIR <COMMANDS. A command is
 * one line, words with tabs between them; "-" is no tree. Each is answered by one line; by "read" and "diff", by
 * lines and an empty one.
 *
 * read TREE | find TREE PATH | diff FROM TO | update TREE [MODE ID PATH]… | merge BASE OURS THEIRS |
 * merge-commits OURS THEIRS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "sys/mem.h"

static void print_entry(const struct gp_entry *entry)
{
	static const struct gp_entry none;
	char hex[GP_OID_HEX + 1];

	if (!entry)
		entry = &none;
	printf("%06o %s", entry->mode, gp_oid_hex(hex, &entry->oid));
}

static int print_change(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
			struct gp_err *err)
{
	(void)ctx;
	(void)err;
	print_entry(from);
	putchar(' ');
	print_entry(to);
	printf("\t%s\n", path);
	return 0;
}

static int print_tree(struct gp_git *git, const struct gp_oid *oid, struct gp_err *err)
{
	struct gp_tree tree;
	int rc = gp_tree_read(git, &tree, oid, err);

	for (size_t i = 0; i < tree.count; i++) {
		print_entry(&tree.item[i].entry);
		printf("\t%s\n", tree.item[i].name);
	}
	gp_tree_free(&tree);
	return rc;
}

static int update(struct gp_git *git, struct gp_oid *out, char *word[], size_t n, struct gp_err *err)
{
	struct gp_tree_change *changes = gp_calloc(n, sizeof *changes);
	struct gp_oid base;
	size_t count = 0;
	int none = gp_oid_parse(&base, word[1]), rc;

	for (size_t i = 2; i + 2 < n; i += 3) {
		struct gp_tree_change *c = &changes[count++];

		c->mode = (unsigned)strtoul(word[i], NULL, 8);
		gp_oid_parse(&c->oid, word[i + 1]);
		c->path = word[i + 2];
	}
	rc = gp_tree_update(git, out, none ? NULL : &base, changes, count, err);
	free(changes);
	return rc < 0 ? -1 : 1;
}

static int run(struct gp_git *git, char *word[], size_t n, struct gp_err *err)
{
	struct gp_oid oid[3] = {0}, out = {{0}};
	struct gp_entry entry;
	char hex[GP_OID_HEX + 1];
	int rc = -1;

	for (size_t i = 1; i < n && i <= 3; i++)
		gp_oid_parse(&oid[i - 1], word[i]);
	if (!strcmp(word[0], "read")) {
		rc = print_tree(git, &oid[0], err);
	} else if (!strcmp(word[0], "diff")) {
		rc = gp_tree_diff(git, &oid[0], &oid[1], print_change, NULL, err);
	} else if (!strcmp(word[0], "find") && n > 2) {
		rc = gp_tree_find(git, &entry, &oid[0], word[2], err);
		if (rc >= 0)
			print_entry(rc ? &entry : NULL);
	} else {
		if (!strcmp(word[0], "update"))
			rc = update(git, &out, word, n, err);
		else if (!strcmp(word[0], "merge"))
			rc = gp_tree_merge(git, &out, &oid[0], &oid[1], &oid[2], err);
		else if (!strcmp(word[0], "merge-commits"))
			rc = gp_tree_merge_commits(git, &out, &oid[0], &oid[1], err);
		if (rc >= 0)
			printf("%s", rc ? gp_oid_hex(hex, &out) : "conflict");
	}
	if (rc >= 0)
		putchar('\n');
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_err err = {0};
	struct gp_git *git = argc == 2 ? gp_git_open(argv[1]) : NULL;
	char *line = NULL;
	size_t cap = 0;

	while (git && getline(&line, &cap, stdin) > 0) {
		char **word = NULL, *at = line;
		size_t n = 0;

		line[strcspn(line, "\n")] = '\0';
		while (at) {
			word = gp_grow(word, n, sizeof *word);
			word[n++] = at;
			at = strchr(at, '\t');
			if (at)
				*at++ = '\0';
		}
		if (run(git, word, n, &err) < 0)
			printf("error %d: %s\n", err.code, err.message);
		gp_err_clear(&err);
		free(word);
	}
	free(line);
	gp_git_free(git);
	return git ? 0 : 71;
}
