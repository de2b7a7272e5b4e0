/*
 * group.h - the group of an app whose group nobody has named. For gp-read-config.
 */
#ifndef GP_GROUP_H
#define GP_GROUP_H

#include "promotion/base-branch.h"
#include "sys/err.h"

/*
 * The one group below the base's tip whose directory <group>/<env>/ has a marker of the app. *group is yours. errors: 65
 * if there is none or more than one, with their names; 71.
 */
int gp_group_find(struct gp_base *base, const char *env, const char *app, char **group, struct gp_err *err);

#endif
