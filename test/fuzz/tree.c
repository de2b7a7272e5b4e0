/*
 * tree.c - any bytes as a tree as git keeps it: each entry has a name that a
 * checkout could have, and no byte behind the end is looked at.
 */
#include "fuzz.h"
#include "git/tree-items.h"
#include "sys/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct gp_tree tree = {0};
	struct gp_tree_item item;
	int found = 0;

	while (size && (found = gp_tree_next_item(&item, &at, end)) > 0 && gp_tree_fits(&tree, &item)) {
		FUZZ_HOLDS(at <= end && !strchr(item.name, '/') && strcmp(item.name, "..") != 0 && *item.name);
		FUZZ_HOLDS(gp_entry_is_dir(&item.entry) || item.entry.mode == 0100644 || item.entry.mode == 0100755 ||
			   item.entry.mode == 0120000 || item.entry.mode == 0160000);
		gp_tree_append(&tree, &item);
		FUZZ_HOLDS(gp_tree_look_up(&tree, item.name, item.entry.mode) == &tree.item[tree.count - 1]);
	}
	FUZZ_HOLDS(found != 0 || at == end);
	for (size_t i = 1; i < tree.count; i++)
		FUZZ_HOLDS(gp_tree_compare(&tree.item[i - 1], &tree.item[i]) < 0);
	free(tree.item);
	return 0;
}
