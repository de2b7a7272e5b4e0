/*
 * oidmap.h - a map from object ids to pointers, for memory of what was read
 * before. It owns neither the pointers nor what they point to.
 */
#ifndef GP_OIDMAP_H
#define GP_OIDMAP_H

#include <stddef.h>

#include "data/oid.h"

/* Start with {0}. */
struct gp_oidmap {
	struct gp_oidmap_slot {
		struct gp_oid oid;
		void *value; /* NULL: the slot is free */
	} *slots;
	size_t capacity, count;
};

/* The value, or NULL. */
void *gp_oidmap_get(const struct gp_oidmap *map, const struct gp_oid *oid);

/* Sets a value, which must not be NULL. */
void gp_oidmap_set(struct gp_oidmap *map, const struct gp_oid *oid, void *value);

/* Calls drop (may be NULL) for each value and empties the map. */
void gp_oidmap_clear(struct gp_oidmap *map, void (*drop)(void *value));

#endif
