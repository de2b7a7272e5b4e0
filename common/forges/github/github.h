/*
 * github.h - GitHub's two APIs, REST and GraphQL, as gp-forge-github uses
 * them: where they are, what their refusals mean, and the operations of
 * gp-forge(7). Shared by the files of this room. What comes from GitHub is
 * checked before it is used.
 * https://docs.github.com/rest, https://docs.github.com/graphql
 */
#ifndef GP_GITHUB_H
#define GP_GITHUB_H

#include <stdbool.h>
#include <stdint.h>

#include "data/json.h"
#include "forge/api.h"
#include "forge/provider.h"
#include "forge/server.h"
#include "sys/err.h"

/* address.c: where a repository and its APIs are. Strings are its own (gp_github_address_free). */
struct gp_github_address {
	char *host;    /* of the remote; with the port, where it is reached over http(s) */
	char *slug;    /* "owner/name" */
	char *rest;    /* "https://api.github.com", without '/' at the end */
	char *graphql; /* "https://api.github.com/graphql" */
};
/* errors: 65 for a URL that names no repository, 78 for API addresses that cannot be. */
int gp_github_address_read(struct gp_github_address *out, const char *url, gp_env_fn *env, struct gp_err *err);
void gp_github_address_free(struct gp_github_address *address);

/* A repository and its API. */
struct gp_github {
	struct gp_api api; /* first: the driver passes a repository on as this */
	struct gp_github_address address;
	struct gp_json *polled; /* the commits that list-statuses was last asked about */
	bool no_checks;         /* the token may not see check-runs */
};

/*
 * One page of a list, borrowed until the next GET of it, and where the next one
 * is (yours), or NULL. *page is NULL if the forge has no such list. That
 * this token may not see it is an error, or, with denied not NULL, sets it.
 */
int gp_github_get(struct gp_github *g, const char *url, const struct gp_json **page, char **next, bool *denied,
		  struct gp_err *err);

/* error.c: for struct gp_api_forge: rate limits, and GitHub's words: "validation failed: …". */
long long gp_github_limit_ms(const struct gp_api_answer *answer, int attempt);
char *gp_github_words(const struct gp_json *json);
/* Turns a 4xx into an error: 77 naming the permission that is needed ("contents: write"), or 69. Returns -1. */
int gp_github_refuse(const struct gp_github *g, const struct gp_api_answer *answer, const char *permission,
		     struct gp_err *err);

/*
 * graphql.c: asks GraphQL and returns `data`, yours. variables is taken
 * over and completed by $owner and $name. What was not found is null in the
 * data, and so is what the token may not see below a list's nodes or a branch's
 * protection. errors: 69, 75, 76, 77.
 */
struct gp_json *gp_github_query(struct gp_github *g, const char *query, struct gp_json *variables, struct gp_err *err);
/* The same for a mutation; a refusal that is about the object is *refusal, yours. */
struct gp_json *gp_github_mutate(struct gp_github *g, const char *query, struct gp_json *variables, char **refusal,
				 struct gp_err *err);
/* A required member of data.repository. Borrowed; errors: 69 if the repository is missing, 76. */
struct gp_json *gp_github_repository(const struct gp_github *g, const struct gp_json *data, struct gp_err *err);

/* pull.c: what is asked of a pull request in GraphQL, for queries that end in it. */
#define GP_GITHUB_PULL                                                                                                 \
	" fragment pull on PullRequest{id number url title body state isCrossRepository headRefName baseRefName "      \
	"headRefOid autoMergeRequest{enabledAt} mergeCommit{oid}}"
/* A pull request as gp-forge(7) has it, from GraphQL's or REST's. Yours; NULL with err (76). */
struct gp_json *gp_github_pull(const struct gp_github *g, const struct gp_json *node, struct gp_err *err);
struct gp_json *gp_github_rest_pull(const struct gp_github *g, const struct gp_json *node, struct gp_err *err);
/* The pull request of a number, as gp-forge(7) has it; NULL if there is none. Yours. */
int gp_github_ask_number(struct gp_github *g, struct gp_json **pull, int64_t number, struct gp_err *err);
/* The same, where one that is missing is an error: 69. */
struct gp_json *gp_github_look_up(struct gp_github *g, int64_t number, struct gp_err *err);
/* The open ones of a branch of this repository into base. An array, yours. */
struct gp_json *gp_github_find_branch(void *repository, const char *branch, const char *base, struct gp_err *err);

/*
 * more.c: adds the labels and reviewers that are missing; created: it is new, and has none. What GitHub does not do is a
 * warning (gp_warn). errors: as gp_api_send.
 */
int gp_github_add_more(struct gp_github *g, int64_t number, const struct gp_wanted *w, bool created,
		       struct gp_json **warnings, struct gp_err *err);

/* status.c: a status as gp-forge(7) has it, from REST's. Yours; NULL if it is none. */
struct gp_json *gp_github_rest_status(const struct gp_json *node);

/* The operations on a struct gp_github, as gp-forge(7) has them. */
gp_forge_op_fn gp_github_get_repository, gp_github_find_pr, gp_github_open_pr, gp_github_set_auto_merge,
	gp_github_merge_pr, gp_github_list_statuses, gp_github_set_status, gp_github_create_commit;

#endif
