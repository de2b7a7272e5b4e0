#include "promotion/missing.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "promotion/order.h"
#include "promotion/past.h"
#include "promotion/promotion.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* The apps of a group: names, each once, in order. */
struct names {
	char **item;
	size_t count;
};

struct search {
	struct gp_base *base;
	const struct gp_config *config;
	struct gp_forge *forge;
	const struct gp_json *open;
	gp_missing_fn *found;
	gp_told_fn *told;
	void *ctx;
	struct gp_chain chain;
};

__attribute__((format(printf, 3, 4))) static void tell(const struct search *s, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = gp_vasprintf(fmt, ap);
	va_end(ap);
	s->told(s->ctx, level, text);
	free(text);
}

static int add_name(void *ctx, const char *app)
{
	struct names *names = ctx;

	if (!gp_name_valid(app))
		return 0;
	names->item = gp_grow(names->item, names->count, sizeof *names->item);
	names->item[names->count++] = gp_strdup(app);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_once(struct names *names)
{
	size_t kept = 0;

	if (names->count)
		qsort(names->item, names->count, sizeof *names->item, by_name);
	for (size_t i = 0; i < names->count; i++) {
		if (kept && !strcmp(names->item[kept - 1], names->item[i]))
			free(names->item[i]);
		else
			names->item[kept++] = names->item[i];
	}
	names->count = kept;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->item[i]);
	free(names->item);
}

/* Whether a pull request brings this promotion, by its description, or with newer_of a newer one. */
static bool brings(const struct gp_json *pull, const struct gp_promotion *p, const struct gp_config *newer_of)
{
	struct gp_err ignored = {0};
	struct gp_promotion said;
	struct gp_json *metadata = gp_promotion_in_description(gp_json_get_text(pull, "description"), &ignored);
	bool brings = metadata && !gp_promotion_view(&said, metadata, &ignored) && gp_promotion_same_app(&said, p) &&
		      !strcmp(said.env, p->env) &&
		      (!strcmp(said.tag, p->tag) || (newer_of && gp_order_is_older(newer_of, p, said.tag)));

	gp_json_free(metadata);
	return brings;
}

static bool is_open(const struct search *s, const struct gp_promotion *p)
{
	for (const struct gp_json *pull = gp_json_first(s->open); pull; pull = gp_json_next(pull))
		if (!gp_json_get_true(pull, "fork") && !strcmp(gp_json_get_text(pull, "base"), s->base->branch) &&
		    brings(pull, p, s->config))
			return true;
	return false;
}

/* Whether somebody has closed its pull request without merging it. Returns 1, 0, -1. */
static int is_declined(const struct search *s, const struct gp_promotion *p, struct gp_err *err)
{
	char *branch = gp_promotion_branch(p, s->config->per_env);
	struct gp_json *pulls = gp_forge_find_closed(s->forge, branch, err);
	int declined = pulls ? 0 : -1;

	for (const struct gp_json *pull = gp_json_first(pulls); pull && !declined; pull = gp_json_next(pull))
		if (!strcmp(gp_json_get_text(pull, "state"), "closed") && brings(pull, p, NULL)) {
			tell(s, 1, "%s/%s %s is not promoted to %s: #%lld was closed", p->group, p->app, p->tag, p->env,
			     (long long)gp_json_get_int(pull, "number", 0));
			declined = 1;
		}
	gp_json_free(pulls);
	free(branch);
	return declined;
}

/* Whether history shows that the environment went back to its version, or that the next one has left it. */
static int is_left(struct search *s, const struct gp_promotion *p, const char *from, struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};
	struct gp_past here, next;
	int left = -1;

	if (gp_past_read(&here, s->base, &s->chain, from, &setter, err))
		return -1;
	if (!gp_past_read(&next, s->base, &s->chain, p->env, &setter, err)) {
		left = gp_past_has(&here, p->tag) || gp_past_has(&next, p->tag);
		if (left)
			tell(s, 1, "%s/%s %s is not promoted to %s: %s went back", p->group, p->app, p->tag, p->env,
			     gp_past_has(&next, p->tag) ? p->env : from);
		gp_past_free(&next);
	}
	gp_past_free(&here);
	return left;
}

/* One app, from one environment that has a version to the next one, which has another. */
static int look_at(struct search *s, const char *group, const char *app, const char *from, const char *tag,
		   const char *into, const char *there, struct gp_err *err)
{
	const struct gp_promotion p =
		{.type = "promote", .group = group, .app = app, .tag = tag, .env = into, .sha = "", .feature = ""};
	struct gp_promotion reached = p;
	int no;

	if (gp_order_is_older(s->config, &p, there)) {
		tell(s, 1, "%s/%s %s is not promoted to %s: it is older than %s", group, app, tag, into, there);
		return 0;
	}
	if (is_open(s, &p))
		return 0;
	no = is_left(s, &p, from, err);
	if (!no)
		no = is_declined(s, &p, err);
	if (no)
		return no < 0 ? -1 : 0;
	reached.env = from;
	s->found(s->ctx, &reached);
	return 0;
}

/* The tag of each environment; NULL where it has none. Only an app that cannot be read is passed over. */
static int read_tags(struct search *s, const struct gp_setter *setter, char **tags, struct gp_err *err)
{
	for (size_t i = 0; i < s->config->environment_count; i++) {
		struct gp_err why = {0};

		if (!gp_manifests_tag(s->base->manifests, &tags[i], &s->base->tree, s->config->environments[i].name,
				      setter, &why))
			continue;
		if (why.code != GP_EXIT_INPUT)
			return gp_fail(err, why.code, "%s", why.message);
		tell(s, -1, "warning: %s/%s is not looked at: %s", setter->group, setter->app, why.message);
		return 0;
	}
	return 1;
}

static int look_at_app(struct search *s, const char *group, const char *app, struct gp_err *err)
{
	const struct gp_setter setter = {group, app, NULL};
	size_t n = s->config->environment_count, from = n;
	char **tags = gp_calloc(n, sizeof *tags);
	int rc = read_tags(s, &setter, tags, err);

	for (size_t i = 0; i < n && rc > 0; i++) {
		if (!tags[i])
			continue;
		if (from < n && strcmp(tags[from], tags[i]) != 0 &&
		    look_at(s, group, app, s->config->environments[from].name, tags[from],
			    s->config->environments[i].name, tags[i], err))
			rc = -1;
		from = i;
	}
	for (size_t i = 0; i < n; i++)
		free(tags[i]);
	free(tags);
	return rc < 0 ? -1 : 0;
}

static int look_at_group(struct search *s, const char *group, struct gp_err *err)
{
	struct names apps = {0};
	int rc = 0;

	for (size_t i = 0; i < s->config->environment_count && !rc; i++)
		rc = gp_manifests_apps(s->base->manifests, &s->base->tree, group, s->config->environments[i].name,
				       add_name, &apps, err);
	sort_once(&apps);
	for (size_t i = 0; i < apps.count && !rc; i++)
		rc = look_at_app(s, group, apps.item[i], err);
	names_free(&apps);
	return rc;
}

int gp_missing_find(struct gp_base *base, const struct gp_config *config, struct gp_forge *forge,
		    const struct gp_json *open, gp_missing_fn *found, gp_told_fn *told, void *ctx, struct gp_err *err)
{
	struct search s = {base, config, forge, open, found, told, ctx, {0}};
	struct gp_tree top;
	int rc = gp_tree_read(base->repository.git, &top, &base->tree, err);

	for (size_t i = 0; i < top.count && !rc; i++)
		if (gp_entry_is_dir(&top.item[i].entry) && gp_name_valid(top.item[i].name))
			rc = look_at_group(&s, top.item[i].name, err);
	gp_tree_free(&top);
	gp_chain_free(&s.chain);
	return rc;
}
