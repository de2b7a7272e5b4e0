/*
 * provider-row.h - the rows of the table of forges, for the files of the
 * module provider alone.
 */
#ifndef GP_PROVIDER_ROW_H
#define GP_PROVIDER_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "forge/provider.h"

/* A remote that is reached by SSH, taken apart: [ssh://][user@]host[:port]/path. Borrowed. */
struct gp_ssh_remote {
	const char *user, *host;
	size_t user_len, host_len;
	const char *path; /* without '/' before it */
};

struct gp_provider_row {
	const char *name;      /* the table ends with NULL */
	const char *job_token; /* the variable of its own CI that holds the job's token; NULL: none but these: */
	const char *token[2];  /* the variables that may hold a token of somebody's */
	const char *server;    /* the variable by which its own CI says where the server is, for one on premises */
	const char *git_user;  /* the user name that goes with a token to its git server */
	const char *api_user;  /* and to its API; NULL: it wants a Bearer's token */
	bool issues_bearers;   /* whether it takes what it has issued itself, job's tokens and JWTs, as a Bearer's */
	/* Where a repository is over HTTPS, yours, or NULL. server: what the variable says, if it is this one; or NULL. */
	char *(*https_url)(struct gp_ssh_remote remote, const char *server);
};
extern const struct gp_provider_row gp_provider_rows[];
const struct gp_provider_row *gp_provider_find(const char *name);

/* Whether a remote is on the server that the job that we may be in belongs to. */
bool gp_provider_is_server(const struct gp_provider_row *forge, const char *url, gp_env_fn *env);

#endif
