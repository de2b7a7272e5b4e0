#include "promotion/change.h"

#include <stdio.h>
#include <stdlib.h>

#include "sys/mem.h"

/* How many scalars a commit's message lists. */
enum { MAX_LISTED = 50 };

struct gp_json *gp_change_files(const struct gp_edits *edits)
{
	struct gp_json *files = gp_json_array();

	for (size_t i = 0; i < edits->count; i++) {
		const struct gp_edit *e = &edits->item[i];
		struct gp_json *file;

		if (!e->changed)
			continue;
		file = gp_json_object();
		gp_json_set_text(file, "path", e->path);
		gp_json_set_int(file, "line", (int64_t)e->line);
		gp_json_set_text(file, "from", e->from);
		gp_json_set_text(file, "to", e->to);
		gp_json_append(files, file);
	}
	return files;
}

static char *message_of(const struct gp_promotion *p, const struct gp_edits *edits)
{
	char *title = gp_promotion_title(p), *trailer = gp_promotion_trailer(p), *out = NULL;
	size_t len, listed = 0;
	FILE *f = gp_open_text(&out, &len);

	fprintf(f, "%s\n\n", title);
	for (size_t i = 0; i < edits->count; i++) {
		const struct gp_edit *e = &edits->item[i];
		char line[512];

		if (!e->changed || ++listed > MAX_LISTED)
			continue;
		char *text = gp_asprintf("%s:%zu: %s -> %s", e->path, e->line, e->from, e->to);

		gp_clean_line(line, sizeof line, text);
		fprintf(f, "%s\n", line);
		free(text);
	}
	if (listed > MAX_LISTED)
		fprintf(f, "and %zu more\n", listed - MAX_LISTED);
	fprintf(f, "\n%s\n", trailer);
	gp_close_text(f, &out);
	free(trailer);
	free(title);
	return out;
}

int gp_change_commit(struct gp_base *base, const struct gp_promotion *p, const struct gp_change *change,
		     struct gp_oid *out, struct gp_err *err)
{
	struct gp_oid tree;
	char *message;
	int rc;

	message = message_of(p, &change->edits);
	rc = gp_manifests_write(base->manifests, &tree, &base->tree, change, err);
	if (!rc)
		rc = gp_repository_commit(&base->repository, out, &tree, &base->tip, message, err);
	free(message);
	return rc;
}
