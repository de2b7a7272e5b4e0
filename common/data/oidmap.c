#include "data/oidmap.h"

#include <stdlib.h>
#include <string.h>

#include "sys/mem.h"

/* Ids are hashes already: any of their bytes will do, and a power of two keeps the modulus cheap. */
static struct gp_oidmap_slot *find(struct gp_oidmap_slot *slots, size_t capacity, const struct gp_oid *oid)
{
	size_t at;

	memcpy(&at, oid->id, sizeof at);
	for (;; at++) {
		struct gp_oidmap_slot *slot = &slots[at & (capacity - 1)];

		if (!slot->value || gp_oid_equal(&slot->oid, oid))
			return slot;
	}
}

void *gp_oidmap_get(const struct gp_oidmap *map, const struct gp_oid *oid)
{
	return map->capacity ? find(map->slots, map->capacity, oid)->value : NULL;
}

static void grow(struct gp_oidmap *map)
{
	size_t capacity = map->capacity ? map->capacity * 2 : 64;
	struct gp_oidmap_slot *slots = gp_calloc(capacity, sizeof *slots);

	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].value)
			*find(slots, capacity, &map->slots[i].oid) = map->slots[i];
	free(map->slots);
	map->slots = slots;
	map->capacity = capacity;
}

void gp_oidmap_set(struct gp_oidmap *map, const struct gp_oid *oid, void *value)
{
	if (map->count * 2 >= map->capacity)
		grow(map);
	struct gp_oidmap_slot *slot = find(map->slots, map->capacity, oid);

	map->count += !slot->value;
	*slot = (struct gp_oidmap_slot){*oid, value};
}

void gp_oidmap_clear(struct gp_oidmap *map, void (*drop)(void *value))
{
	for (size_t i = 0; drop && i < map->capacity; i++)
		if (map->slots[i].value)
			drop(map->slots[i].value);
	free(map->slots);
	*map = (struct gp_oidmap){0};
}
