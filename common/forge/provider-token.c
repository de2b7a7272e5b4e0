/* Tokens: where to find them, and how to present them to a server. */
#include <stdlib.h>
#include <string.h>

#include "forge/provider-row.h"
#include "sys/base64.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"

enum { MAX_TOKEN = 64 << 10 };

/* What one of the forge's own variables holds, if it may go to the remote's server. */
static const char *own_token(const struct gp_provider_row *forge, const char *url, gp_env_fn *env, bool *is_job)
{
	const char *token = NULL;

	*is_job = false;
	if (!forge || (forge->server && gp_env_value(env, forge->server) && !gp_provider_is_server(forge, url, env)))
		return NULL;
	if (forge->job_token)
		token = gp_env_value(env, forge->job_token);
	*is_job = token != NULL;
	for (size_t i = 0; !token && i < 2 && forge->token[i]; i++)
		token = gp_env_value(env, forge->token[i]);
	return token;
}

static char *token_in_file(const char *path, struct gp_err *err)
{
	struct gp_err why = {0};
	char *text;
	size_t len;

	if (gp_read_file(&text, &len, path, MAX_TOKEN, &why)) {
		gp_fail(err, GP_EXIT_CONFIG, "GP_TOKEN_FILE: %s", why.message);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

int gp_provider_token(struct gp_token *out, const char *provider, const char *url, gp_env_fn *env, struct gp_err *err)
{
	const char *text = gp_env_value(env, "GP_TOKEN"), *path = gp_env_value(env, "GP_TOKEN_FILE");

	*out = (struct gp_token){0};
	text = text ? text : own_token(gp_provider_find(provider), url, env, &out->is_job);
	out->text = text || !path ? gp_strdup(text) : token_in_file(path, err);
	for (const char *c = out->text; c && *c; c++)
		if (*c <= ' ' || *c > '~') {
			gp_fail(err, GP_EXIT_CONFIG, "the token for %s contains a space or an invalid character",
				provider);
			break;
		}
	if (err->code || (out->text && !*out->text)) {
		free(out->text);
		out->text = NULL;
	}
	return err->code ? -1 : 0;
}

static bool is_hidden(const char *variable, const char *provider, const struct gp_provider_row *forge)
{
	if (!strcmp(provider, "local"))
		return true;
	if (!forge || !strcmp(variable, "GP_TOKEN") || (forge->job_token && !strcmp(forge->job_token, variable)))
		return false;
	for (size_t i = 0; i < 2 && forge->token[i]; i++)
		if (!strcmp(forge->token[i], variable))
			return false;
	return true;
}

const char **gp_provider_hidden(const char *provider)
{
	static const char *const tokens[] = {GP_PROVIDER_TOKENS};
	const char **hidden = gp_calloc(sizeof tokens / sizeof *tokens + 1, sizeof *hidden);
	size_t n = 0;

	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
		if (is_hidden(tokens[i], provider, gp_provider_find(provider)))
			hidden[n++] = tokens[i];
	return hidden;
}

char *gp_provider_token_names(const char *provider)
{
	const struct gp_provider_row *forge = gp_provider_find(provider);
	const char *name[4] = {"GP_TOKEN"};
	size_t n = 1;
	char *out;

	if (forge && forge->job_token)
		name[n++] = forge->job_token;
	for (size_t i = 0; forge && i < 2 && forge->token[i]; i++)
		name[n++] = forge->token[i];
	out = gp_strdup(name[0]);
	for (size_t i = 1; i < n; i++) {
		char *longer = gp_asprintf("%s%s%s", out, i + 1 < n ? ", " : " or ", name[i]);

		free(out);
		out = longer;
	}
	return out;
}

/* A JSON Web Token: three parts, of which the first is an object (https://datatracker.ietf.org/doc/html/rfc7519). */
static bool is_jwt(const char *text)
{
	const char *dot = strchr(text, '.');
	const char *second = dot ? strchr(dot + 1, '.') : NULL;

	return !strncmp(text, "eyJ", 3) && second && !strchr(second + 1, '.');
}

static char *basic(const char *user, const struct gp_token *token)
{
	char *pair = gp_asprintf("%s:%s", user, token->text), *code = gp_base64(pair, strlen(pair));
	char *out = gp_asprintf("Authorization: Basic %s", code);

	free(code);
	free(pair);
	return out;
}

static char *header(const struct gp_provider_row *forge, const char *user, const struct gp_token *token)
{
	if (!user || (forge->issues_bearers && (token->is_job || is_jwt(token->text))))
		return gp_asprintf("Authorization: Bearer %s", token->text);
	return basic(user, token);
}

/* The user name that goes with the token to the git server of a forge that gp does not know. Borrowed. */
static const char *other_user(gp_env_fn *env, struct gp_err *err)
{
	const char *user = gp_env_value(env, "GP_GIT_USER");

	for (const char *c = user; c && *c; c++)
		if (*c <= ' ' || *c > '~' || *c == ':') {
			gp_fail(err, GP_EXIT_CONFIG, "GP_GIT_USER contains a space, a ':' or an invalid character");
			return NULL;
		}
	return user ? user : "git";
}

int gp_provider_git_header(char **out, const char *provider, const struct gp_token *token, gp_env_fn *env,
			   struct gp_err *err)
{
	const struct gp_provider_row *forge = gp_provider_find(provider);
	const char *user;

	*out = NULL;
	if (!token->text || !strcmp(provider, "local"))
		return 0;
	if (forge) {
		*out = header(forge, forge->git_user, token);
		return 0;
	}
	user = other_user(env, err);
	if (!user)
		return -1;
	*out = basic(user, token);
	return 0;
}

char *gp_provider_api_header(const char *provider, const struct gp_token *token)
{
	const struct gp_provider_row *forge = gp_provider_find(provider);

	return forge ? header(forge, forge->api_user, token) : NULL;
}
