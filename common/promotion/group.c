#include "promotion/group.h"

#include <stdlib.h>

#include "git/tree.h"
#include "promotion/config.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* Appends a name to a list of them. */
static void add(char **list, const char *name)
{
	char *longer = *list ? gp_asprintf("%s, %s", *list, name) : gp_strdup(name);

	free(*list);
	*list = longer;
}

/* The names of the groups that have the app, and how many they are. -1: err. */
static int list_groups(struct gp_base *base, const struct gp_tree *top, const char *env, const char *app, char **names,
		       struct gp_err *err)
{
	int count = 0;

	for (size_t i = 0; i < top->count; i++) {
		const struct gp_tree_item *item = &top->item[i];
		const struct gp_setter setter = {item->name, app, NULL};
		struct gp_carry carry;

		if (!gp_entry_is_dir(&item->entry) || !gp_name_valid(item->name))
			continue;
		if (gp_manifests_carry(base->manifests, &carry, &base->tree, env, &setter, err))
			return -1;
		if (carry.markers) {
			add(names, item->name);
			count++;
		}
	}
	return count;
}

int gp_group_find(struct gp_base *base, const char *env, const char *app, char **group, struct gp_err *err)
{
	struct gp_tree top;
	char *names = NULL;
	int count;

	*group = NULL;
	if (gp_tree_read(base->repository.git, &top, &base->tree, err))
		return -1;
	count = list_groups(base, &top, env, app, &names, err);
	gp_tree_free(&top);
	if (count == 1) {
		*group = names;
		return 0;
	}
	if (!count)
		gp_fail(err, GP_EXIT_INPUT,
			"no group has a marker of app '%s' in environment %s: name one with --group", app, env);
	else if (count > 0)
		gp_fail(err, GP_EXIT_INPUT, "app '%s' is in several groups (%s): name one with --group", app, names);
	free(names);
	return -1;
}
