/* provider-row.h - the rows of the table of forges, for provider*.c alone. */
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
	const char *job_token; /* the variable of its own CI that holds the job's token, or NULL */
	const char *token[2];  /* the variables that may hold a user's token */
	const char *server;    /* the variable in which its own CI names the server, if that is on premises */
	const char *git_user;  /* the user name that goes with a token to its git server */
	const char *api_user;  /* and to its API; NULL: its API takes a Bearer token */
	bool issues_bearers;   /* whether tokens that it issues itself (job tokens, JWTs) are Bearer tokens */
	/* Where a repository is over HTTPS, yours, or NULL. server: what the variable says, if it is this one; or NULL. */
	char *(*https_url)(struct gp_ssh_remote remote, const char *server);
};
extern const struct gp_provider_row gp_provider_rows[];
const struct gp_provider_row *gp_provider_find(const char *name);

/* Whether a remote is on the server of the CI job that runs this program. */
bool gp_provider_is_server(const struct gp_provider_row *forge, const char *url, gp_env_fn *env);

#endif
