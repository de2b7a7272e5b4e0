/*
 * config-value.h - reading the values of the configuration: one reader for the file and for the document's member, which
 * is turned into the tree that YAML gives. For config*.c. Functions return 0, or -1 with the reader's error filled in.
 */
#ifndef GP_CONFIG_VALUE_H
#define GP_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "data/yaml.h"
#include "promotion/config.h"
#include "sys/err.h"

/* What differs between the two. */
struct gp_config_reader {
	gp_config_warn_fn *warn;
	void *ctx;
	struct gp_err *err;
	bool json; /* JSON: a plain value is no text, and there are no lines */
};

/* A key of a map: how to read its value, and where to put it. */
typedef int gp_config_field_fn(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to);
struct gp_config_field {
	const char *key;
	gp_config_field_fn *read;
	size_t offset;
};

/* Says what is wrong with a value, and where. Returns -1: 78 in the file, 65 in a document. */
int gp_config_wrong(const struct gp_config_reader *r, const struct gp_yaml_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reads a map by its fields; a null member counts as missing. A key that is nearly a known one is an error, another one
 * a warning.
 */
int gp_config_read_map(const struct gp_config_reader *r, const struct gp_yaml_node *map,
		       const struct gp_config_field *fields, size_t n, void *to);

/* The node's text, borrowed; NULL for what is none. */
const char *gp_config_text(const struct gp_config_reader *r, const struct gp_yaml_node *node);

/* to: a char *, which is freed and becomes the caller's; a bool; an unsigned from 1 to max. */
int gp_config_read_text(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to);
int gp_config_read_bool(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to);
int gp_config_read_count(const struct gp_config_reader *r, const struct gp_yaml_node *node, unsigned max, unsigned *to);

/* One of two words: false for the first, true for the second. */
int gp_config_read_choice(const struct gp_config_reader *r, const struct gp_yaml_node *node, const char *no,
			  const char *yes, bool *to);
/* to: a char *, as above: the word for how tags are ordered. */
int gp_config_read_order(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to);
/* to: a struct gp_json *, which is freed and becomes an array of texts. */
int gp_config_read_list(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to);
/* to: a struct gp_json *, an object; the bool becomes its member of the node's key. */
int gp_config_read_flag(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to);

/* config-groups.c, config-pull.c: the keys groups and pull_request. to: a struct gp_json *, an object. */
int gp_config_read_groups(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to);
int gp_config_read_pull_request(const struct gp_config_reader *r, const struct gp_yaml_node *map, void *to);
/* Refuses drafts in an environment with auto: true. root: where to say so. */
int gp_config_check_drafts(const struct gp_config_reader *r, const struct gp_yaml_node *root,
			   const struct gp_config *config);

#endif
