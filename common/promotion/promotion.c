#include "promotion/promotion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "promotion/config.h"
#include "setter/setter.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char comment_start[] = "<!-- metadata = ", comment_end[] = " -->", trailer_key[] = "Gp-Promotion: ";

/* The member as text; fallback where it is missing or null. NULL with err where it is no string, or there is no fallback. */
static const char *member(const struct gp_json *json, const char *key, const char *fallback, struct gp_err *err)
{
	const struct gp_json *value = gp_json_get(json, key);

	if (!value || gp_json_is_null(value)) {
		if (!fallback)
			gp_fail(err, GP_EXIT_INPUT, "promotion has no %s", key);
		return fallback;
	}
	if (!gp_json_is_string(value))
		gp_fail(err, GP_EXIT_INPUT, "promotion's %s is not a string", key);
	return gp_json_text(value);
}

int gp_promotion_view(struct gp_promotion *out, const struct gp_json *json, struct gp_err *err)
{
	if (!gp_json_is_object(json))
		return gp_fail(err, GP_EXIT_INPUT, "document has no promotion");
	*out = (struct gp_promotion){
		.type = member(json, "type", "promote", err),
		.group = member(json, "group", NULL, err),
		.app = member(json, "app", NULL, err),
		.tag = member(json, "tag", NULL, err),
		.env = member(json, "env", NULL, err),
		.sha = member(json, "sha", "", err),
		.feature = member(json, "feature", "", err),
	};
	if (err->code)
		return -1;
	if (!*out->type)
		out->type = "promote";
	const struct {
		const char *what, *name;
	} names[] = {{"group", out->group}, {"app", out->app}, {"env", out->env}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!gp_name_valid(names[i].name))
			return gp_fail(err, GP_EXIT_INPUT, "promotion's %s is not a name: '%s'", names[i].what,
				       names[i].name);
	if (!gp_tag_valid(out->tag))
		return gp_fail(err, GP_EXIT_INPUT, "promotion's tag is not a tag or digest: '%s'", out->tag);
	return 0;
}

struct gp_json *gp_promotion_to_json(const struct gp_promotion *p)
{
	struct gp_json *json = gp_json_object();

	/* The older tool's order. */
	gp_json_set_text(json, "group", p->group);
	gp_json_set_text(json, "app", p->app);
	gp_json_set_text(json, "tag", p->tag);
	gp_json_set_text(json, "env", p->env);
	gp_json_set_text(json, "sha", p->sha);
	gp_json_set_text(json, "feature", p->feature);
	gp_json_set_text(json, "type", p->type);
	return json;
}

bool gp_promotion_same_app(const struct gp_promotion *a, const struct gp_promotion *b)
{
	return !strcmp(a->group, b->group) && !strcmp(a->app, b->app) && !strcmp(a->type, b->type);
}

bool gp_promotion_same(const struct gp_promotion *a, const struct gp_promotion *b)
{
	return gp_promotion_same_app(a, b) && !strcmp(a->tag, b->tag) && !strcmp(a->env, b->env);
}

char *gp_promotion_branch(const struct gp_promotion *p, bool per_env)
{
	return per_env ? gp_asprintf("promote/%s/%s-%s", p->env, p->group, p->app)
		       : gp_asprintf("promote/%s-%s", p->group, p->app);
}

bool gp_promotion_is_branch(const char *branch)
{
	return !strncmp(branch, "promote/", 8);
}

char *gp_promotion_title(const struct gp_promotion *p)
{
	return gp_asprintf("Promote %s/%s version %s to environment %s", p->group, p->app, p->tag, p->env);
}

char *gp_promotion_metadata(const struct gp_promotion *p)
{
	struct gp_json *json = gp_promotion_to_json(p);
	char *text = gp_json_print(json), *out = NULL;
	size_t len;
	FILE *f = gp_open_text(&out, &len);

	for (const char *c = text; *c; c++) {
		if (strchr("<>&", *c))
			fprintf(f, "\\u%04x", (unsigned)*c);
		else
			fputc(*c, f);
	}
	gp_close_text(f, &out);
	free(text);
	gp_json_free(json);
	return out;
}

char *gp_promotion_comment(const struct gp_promotion *p)
{
	char *metadata = gp_promotion_metadata(p),
	     *comment = gp_asprintf("%s%s%s", comment_start, metadata, comment_end);

	free(metadata);
	return comment;
}

char *gp_promotion_trailer(const struct gp_promotion *p)
{
	char *metadata = gp_promotion_metadata(p), *trailer = gp_asprintf("%s%s", trailer_key, metadata);

	free(metadata);
	return trailer;
}

struct gp_json *gp_promotion_in_description(const char *description, struct gp_err *err)
{
	const char *start = strstr(description, comment_start), *end;

	if (!start)
		return NULL;
	start += sizeof comment_start - 1;
	end = strstr(start, comment_end);
	if (!end) {
		gp_fail(err, GP_EXIT_INPUT, "metadata in the description does not end");
		return NULL;
	}
	if (strstr(end, comment_start)) {
		gp_fail(err, GP_EXIT_INPUT, "metadata stands twice in the description");
		return NULL;
	}
	struct gp_json *json = gp_json_parse(start, (size_t)(end - start), err);

	if (!json)
		gp_fail_in(err, "metadata in the description");
	return json;
}

/* Where the last paragraph of a message begins: trailers stand nowhere else (git-interpret-trailers(1)). */
static const char *last_paragraph(const char *message)
{
	const char *start = message, *gap;

	while ((gap = strstr(start, "\n\n"))) {
		gap += strspn(gap, "\n");
		if (!*gap)
			break;
		start = gap;
	}
	return start;
}

struct gp_json *gp_promotion_in_message(const char *message, struct gp_err *err)
{
	const char *line = last_paragraph(message), *found = NULL;

	/* A trailer never is the subject. */
	if (line == message)
		return NULL;
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, trailer_key, sizeof trailer_key - 1))
			continue;
		if (found) {
			gp_fail(err, GP_EXIT_INPUT, "commit has two Gp-Promotion trailers");
			return NULL;
		}
		found = line + sizeof trailer_key - 1;
	}
	if (!found)
		return NULL;
	struct gp_json *json = gp_json_parse(found, strcspn(found, "\n"), err);

	if (!json)
		gp_fail_in(err, "Gp-Promotion trailer");
	return json;
}
