/*
 * config-value.h - reading the values of the configuration: one reader for the file and for the document's member, which
 * is turned into the tree that YAML gives. For config.c. Functions return 0, or -1 with the reader's error filled in.
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

#endif
