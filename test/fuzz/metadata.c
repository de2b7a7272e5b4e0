/*
 * metadata.c - any bytes as a pull request's description, as a commit's message
 * and as the metadata alone: what is read is written and read again, and the
 * title says the same.
 */
#include "fuzz.h"
#include "promotion/config.h"
#include "promotion/promotion.h"
#include "setter/setter.h"
#include "sys/exit.h"
#include "sys/mem.h"

static bool all_same(const struct gp_promotion *a, const struct gp_promotion *b)
{
	return gp_promotion_same(a, b) && !strcmp(a->sha, b->sha) && !strcmp(a->feature, b->feature);
}

/* Names and tags hold neither '/' nor blanks, so that a title can be taken apart in one way only. */
static void check_title(const struct gp_promotion *p)
{
	char *title = gp_promotion_title(p), group[101], app[101], tag[300], env[101];
	int end = 0;

	FUZZ_HOLDS(fuzz_is_printable(title));
	FUZZ_HOLDS(sscanf(title, "Promote %100[^/]/%100s version %299s to environment %100s%n", group, app, tag, env,
			  &end) == 4);
	FUZZ_HOLDS((size_t)end == strlen(title));
	FUZZ_HOLDS(!strcmp(group, p->group) && !strcmp(app, p->app) && !strcmp(tag, p->tag) && !strcmp(env, p->env));
	free(title);
}

static void check_branch(const struct gp_promotion *p, bool per_env)
{
	char *branch = gp_promotion_branch(p, per_env);

	FUZZ_HOLDS(gp_promotion_is_branch(branch) && fuzz_is_printable(branch));
	FUZZ_HOLDS(!strpbrk(branch, " ~^:?*[\\") && !strstr(branch, "..") && !strstr(branch, "//"));
	free(branch);
}

static void check_comment(const struct gp_promotion *p)
{
	char *comment = gp_promotion_comment(p), *text = gp_asprintf("before\n%s\nbehind -->\n", comment);
	struct gp_err err = {0};
	struct gp_json *json = gp_promotion_in_description(text, &err);
	struct gp_promotion again;

	FUZZ_HOLDS(json && !gp_promotion_view(&again, json, &err) && all_same(p, &again));
	/* Nothing in it ends the comment before its end, or begins another. */
	FUZZ_HOLDS(strstr(comment, "-->") == comment + strlen(comment) - 3 && !strstr(comment + 1, "<"));
	FUZZ_HOLDS(fuzz_is_printable(comment));
	gp_json_free(json);
	free(text);
	free(comment);
}

static void check_trailer(const struct gp_promotion *p)
{
	char *trailer = gp_promotion_trailer(p), *text = gp_asprintf("subject\n\nbody\n\n%s\n", trailer);
	struct gp_err err = {0};
	struct gp_json *json = gp_promotion_in_message(text, &err);
	struct gp_promotion again;

	FUZZ_HOLDS(json && !gp_promotion_view(&again, json, &err) && all_same(p, &again));
	FUZZ_HOLDS(fuzz_is_printable(trailer));
	gp_json_free(json);
	free(text);
	free(trailer);
}

static void check(struct gp_json *json, const struct gp_err *err)
{
	struct gp_err why = {0};
	struct gp_promotion p;

	FUZZ_HOLDS(!json || !err->code);
	FUZZ_HOLDS(!err->code || err->code == GP_EXIT_INPUT);
	if (json && gp_promotion_view(&p, json, &why)) {
		FUZZ_HOLDS(why.code == GP_EXIT_INPUT && fuzz_is_printable(why.message));
	} else if (json) {
		struct gp_json *member = gp_promotion_to_json(&p);
		struct gp_promotion again;

		FUZZ_HOLDS(gp_name_valid(p.group) && gp_name_valid(p.app) && gp_name_valid(p.env) &&
			   gp_tag_valid(p.tag));
		FUZZ_HOLDS(!gp_promotion_view(&again, member, &why) && all_same(&p, &again));
		check_title(&p);
		check_branch(&p, false);
		check_branch(&p, true);
		check_comment(&p);
		check_trailer(&p);
		gp_json_free(member);
	}
	gp_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *message = gp_asprintf("subject\n\nGp-Promotion: %s", text);
	struct gp_err err[4] = {{0}, {0}, {0}, {0}};

	check(gp_promotion_in_description(text, &err[0]), &err[0]);
	check(gp_promotion_in_message(text, &err[1]), &err[1]);
	check(gp_promotion_in_message(message, &err[2]), &err[2]);
	check(gp_json_parse((const char *)data, size, &err[3]), &err[3]);
	free(message);
	free(text);
	return 0;
}
