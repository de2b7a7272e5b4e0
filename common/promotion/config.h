/*
 * config.h - gitops-promotion.yaml: read, checked, its defaults filled in, and
 * as the document's member `config`. Owns its strings.
 */
#ifndef GP_CONFIG_H
#define GP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/err.h"

#define GP_CONFIG_FILE "gitops-promotion.yaml"
#define GP_GATE_CHECK "gp/gate"

struct gp_json;

struct gp_environment {
	char *name;
	bool auto_merge;
	char *status_context;         /* NULL: the configuration's */
	struct gp_json *status_from;  /* NULL: the configuration's */
	struct gp_json *without;      /* likewise */
	struct gp_json *pull_request; /* as the configuration's; each key that it has takes the place of that one's */
};

struct gp_config {
	bool per_env; /* prflow: per-env; otherwise per-app */
	struct gp_environment *environments;
	size_t environment_count; /* at least 1 */
	unsigned status_timeout_minutes;
	char *status_context;     /* NULL: Flux's own contexts */
	char *status_description; /* a glob that a success's description must match, or NULL */
	unsigned clusters;        /* at least 1 */
	bool via_api;             /* commit_via: api; otherwise git makes commits */
	char *gate_check;
	char *order;                  /* of all apps' tags: a word as gp_order_parse reads; NULL: none is set */
	struct gp_json *groups;       /* as written, or NULL */
	struct gp_json *status_from;  /* whose statuses are evidence, a list of text; NULL: anybody's */
	struct gp_json *without;      /* contexts that do not count, a list of globs; or NULL */
	struct gp_json *pull_request; /* of pull requests: labels and reviewers (lists of text), draft; or NULL */
};

/*
 * Reads the file's text. Unknown keys are passed to warn (may be NULL) as "gitops-promotion.yaml:L:C: unknown key 'x'".
 * errors: 78, "gitops-promotion.yaml:L:C: what", also for an unknown key that is nearly a known one.
 */
typedef void gp_config_warn_fn(void *ctx, const char *message);
int gp_config_parse(struct gp_config *out, const char *text, size_t len, gp_config_warn_fn *warn, void *ctx,
		    struct gp_err *err);
void gp_config_free(struct gp_config *config);

/* To and from the document's member. from_json: errors are 65. to_json: yours. */
struct gp_json *gp_config_to_json(const struct gp_config *config);
int gp_config_from_json(struct gp_config *out, const struct gp_json *json, struct gp_err *err);

/* Fails with code for an unknown environment: lists those that there are, and suggests one. */
int gp_config_unknown(const struct gp_config *config, const char *env, int code, struct gp_err *err);

/* The labels, reviewers and draft of an environment's pull requests, as an object with those that are set. Yours. */
struct gp_json *gp_config_pull_request(const struct gp_config *config, size_t environment);

/* The index of the environment of that name, or -1. */
int gp_config_find(const struct gp_config *config, const char *name);

/*
 * Whether s is a name of a group, app or environment: one path component of
 * [A-Za-z0-9._-], at most 100 bytes, not beginning with '-' or '.', not ending in ".lock" or '.', without "..".
 */
bool gp_name_valid(const char *s);

#endif
