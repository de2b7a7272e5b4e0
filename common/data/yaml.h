/*
 * yaml.h - YAML as a stream of events with exact byte positions, and as a
 * small tree for configuration. The only way to libyaml, which nothing else
 * includes. Used by setter and config.
 */
#ifndef GP_YAML_H
#define GP_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/err.h"

enum gp_yaml_type {
	GP_YAML_DOCUMENT_START,
	GP_YAML_DOCUMENT_END,
	GP_YAML_MAPPING_START,
	GP_YAML_MAPPING_END,
	GP_YAML_SEQUENCE_START,
	GP_YAML_SEQUENCE_END,
	GP_YAML_ALIAS,
	GP_YAML_SCALAR
};

enum gp_yaml_style { GP_YAML_PLAIN, GP_YAML_SINGLE, GP_YAML_DOUBLE, GP_YAML_LITERAL, GP_YAML_FOLDED };

struct gp_yaml_event {
	enum gp_yaml_type type;
	enum gp_yaml_style style; /* of a scalar */
	bool is_key;              /* a mapping's key */
	const char *value;        /* of a scalar (NUL-terminated, may hold NULs), or an alias's name; borrowed */
	size_t value_len;
	const char *tag;     /* an explicit tag, or NULL; borrowed */
	const char *anchor;  /* the anchor's name, or NULL; borrowed */
	size_t start, end;   /* bytes of the text: the scalar itself, without its anchor and tag; end is behind it */
	size_t line, column; /* of start, from 1; column in characters */
	size_t end_line;     /* of end, from 1 */
};

/* How deep collections may lie in each other, and how many bytes a text may have. */
enum { GP_YAML_MAX_DEPTH = 1000, GP_YAML_MAX_LENGTH = 16 << 20 };

/*
 * Parses text and calls fn for each event in order; a return other than 0 ends
 * it and is returned. Positions count bytes of text, BOM included. Lines end
 * as YAML 1.1 has it (CR, LF, CRLF, NEL, LS, PS). errors: 65, "line L, column
 * C: what", also for text that is not UTF-8 or nested deeper than 1000 levels, and for an alias without an anchor
 * before it; "more than 16 MiB of YAML". Aliases are not followed.
 * A document after "..." needs no "---" here, which libyaml alone would ask for.
 */
typedef int gp_yaml_fn(void *ctx, const struct gp_yaml_event *event, struct gp_err *err);
int gp_yaml_parse(const char *text, size_t len, gp_yaml_fn *fn, void *ctx, struct gp_err *err);

/* The length in bytes of the line end at s, of which avail bytes may be read; 0 if there is none. */
size_t gp_yaml_break(const char *s, size_t avail);

/* A configuration file as a tree. */
enum gp_yaml_kind { GP_YAML_NULL, GP_YAML_TEXT, GP_YAML_MAP, GP_YAML_LIST };
struct gp_yaml_node {
	enum gp_yaml_kind kind;
	char *key;                   /* where the parent is a map */
	char *text;                  /* of a TEXT */
	bool plain;                  /* a TEXT without quotes: may mean a number or a boolean */
	size_t line, column;         /* from 1 */
	size_t key_line, key_column; /* of the key, if there is one */
	struct gp_yaml_node *child;  /* first of a MAP or LIST */
	struct gp_yaml_node *next;
};

/*
 * The first document as a tree; yours, NULL on error. errors (65): syntax,
 * duplicate keys, keys that are no scalars, aliases, a second document: each
 * as "line L, column C: what". An empty file is a GP_YAML_NULL.
 */
struct gp_yaml_node *gp_yaml_load(const char *text, size_t len, struct gp_err *err);
void gp_yaml_free(struct gp_yaml_node *node);

/*
 * Whether a plain scalar with this text is a string to every reader, YAML 1.1
 * or 1.2, core or Go's yaml.v2/v3 and Kubernetes' sigs.k8s.io/yaml; false
 * for 1234, 1e3, 0x1F, 12:30, true, null, ~, 2024-01-01, 1.10, .inf, yes, and
 * for text that cannot stand plain at all.
 */
bool gp_yaml_plain_is_string(const char *text);

/* The same of a text that does stand plain somewhere: only whether some reader takes it for something else. */
bool gp_yaml_reads_as_string(const char *text);

#endif
