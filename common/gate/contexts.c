#include "gate/contexts.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/flux.h"
#include "git/tree.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* The pattern with {group} and {env} replaced. Names contain no pattern characters (config.h). */
static char *expand(const char *pattern, const char *group, const char *env)
{
	char *out = NULL;
	size_t len;
	FILE *f = gp_open_text(&out, &len);

	while (*pattern) {
		if (!strncmp(pattern, "{group}", 7)) {
			fputs(group, f);
			pattern += 7;
		} else if (!strncmp(pattern, "{env}", 5)) {
			fputs(env, f);
			pattern += 5;
		} else {
			fputc(*pattern++, f);
		}
	}
	gp_close_text(f, &out);
	return out;
}

static bool matches(const char *context, const char *pattern, const char *group, const char *env)
{
	if (pattern) {
		char *glob = expand(pattern, group, env);
		bool same = !fnmatch(glob, context, 0);

		free(glob);
		return same;
	}
	size_t g = strlen(group), e = strlen(env);

	if (!gp_context_is_flux(context))
		return false;
	context = strchr(context, '/') + 1;
	if (strncmp(context, group, g) != 0 || context[g] != '-' || strncmp(context + g + 1, env, e) != 0)
		return false;
	context += g + 1 + e;
	/* Nothing, or more parts, none of them empty: since Flux v0.30 the first part of the Provider's UID. */
	return !*context || (*context == '/' && context[strlen(context) - 1] != '/' && !strstr(context, "//"));
}

struct gp_wanted gp_wanted_of(const struct gp_config *config, const char *group, const char *env)
{
	int index = gp_config_find(config, env);
	const struct gp_environment none = {0}, *own = index < 0 ? &none : &config->environments[index];

	return (struct gp_wanted){own->status_context ? own->status_context : config->status_context, group, env,
				  own->status_from ? own->status_from : config->status_from,
				  own->without ? own->without : config->without};
}

bool gp_wanted_matches(const void *ctx, const char *context)
{
	const struct gp_wanted *w = ctx;

	for (const struct gp_json *glob = gp_json_first(w->without); glob; glob = gp_json_next(glob)) {
		char *pattern = expand(gp_json_text(glob), w->group, w->env);
		bool left_out = !fnmatch(pattern, context, 0);

		free(pattern);
		if (left_out)
			return false;
	}
	return matches(context, w->pattern, w->group, w->env);
}

/* What all contexts of <group> and <env> have in common: it must differ between two environments. */
static char *identity(const struct gp_wanted *w)
{
	return w->pattern ? expand(w->pattern, w->group, w->env) : gp_asprintf("%s-%s", w->group, w->env);
}

/* Whether the same contexts would speak of two environments. own is the identity of w, theirs that of other. */
static bool is_twin(const struct gp_wanted *w, const char *own, const struct gp_wanted *other, const char *theirs)
{
	/* A pattern without {group} stands for all groups: then only a clash of "-" is a mistake. */
	if (!strcmp(other->env, w->env))
		return false;
	if (!w->pattern == !other->pattern)
		return !strcmp(own, theirs);
	/* A pattern beside Flux's own names. */
	const char *pattern = w->pattern ? own : theirs, *name = w->pattern ? theirs : own;
	char *kustomization = gp_asprintf("kustomization/%s", name), *release = gp_asprintf("helmrelease/%s", name);
	bool same = !fnmatch(pattern, kustomization, 0) || !fnmatch(pattern, release, 0);

	free(kustomization);
	free(release);
	return same;
}

struct twins {
	struct gp_base *base;
	const struct gp_config *config;
	const struct gp_wanted *wanted;
	const char *identity;
};

/* Whether a top-level directory may be the group of another environment with the same contexts. */
static int check_twin(const struct twins *t, const struct gp_tree_item *item, struct gp_err *err)
{
	if (!gp_entry_is_dir(&item->entry) || !gp_name_valid(item->name))
		return 0;
	for (size_t i = 0; i < t->config->environment_count; i++) {
		struct gp_wanted other = gp_wanted_of(t->config, item->name, t->config->environments[i].name);
		struct gp_entry dir;

		if (!strcmp(other.group, t->wanted->group) && !strcmp(other.env, t->wanted->env))
			continue;
		char *theirs = identity(&other), *path = gp_asprintf("%s/%s", other.group, other.env);
		bool same = is_twin(t->wanted, t->identity, &other, theirs);
		int found = same ? gp_tree_find(t->base->repository.git, &dir, &t->base->tree, path, err) : 0;

		if (found > 0)
			gp_fail(err, GP_EXIT_CONFIG,
				"statuses of '%s/%s' cannot be told from those of '%s': set status_context in " GP_CONFIG_FILE,
				t->wanted->group, t->wanted->env, path);
		free(theirs);
		free(path);
		if (found)
			return -1;
	}
	return 0;
}

int gp_wanted_check_twins(struct gp_base *base, const struct gp_config *config, const struct gp_wanted *wanted,
			  struct gp_err *err)
{
	char *own = identity(wanted);
	struct twins twins = {base, config, wanted, own};
	struct gp_tree top;
	int rc = gp_tree_read(base->repository.git, &top, &base->tree, err);

	for (size_t i = 0; i < top.count && !rc; i++)
		rc = check_twin(&twins, &top.item[i], err);
	gp_tree_free(&top);
	free(own);
	return rc;
}

bool gp_wanted_is_near(const struct gp_wanted *w, const char *context)
{
	char *name = gp_asprintf("%s-%s", w->group, w->env);
	bool near = strcasestr(context, name) != NULL;

	free(name);
	return near && !gp_wanted_matches(w, context);
}
