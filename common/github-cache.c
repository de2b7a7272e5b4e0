/* Pages of lists, asked for with what is known of them already: a 304 costs nothing of the rate limit.
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exit.h"
#include "github.h"
#include "mem.h"

static struct gp_github_cached *find(struct gp_github *g, const char *url)
{
	for (size_t i = 0; i < g->cache_count; i++)
		if (!strcmp(g->cache[i].url, url))
			return &g->cache[i];
	return NULL;
}

/* The target of rel="next" in a Link header (RFC 8288): <URL>; rel="next", <URL>; rel="last". */
static char *next_link(const char *header)
{
	const char *open, *close, *end;

	for (; header && (open = strchr(header, '<')) && (close = strchr(open, '>')); header = end) {
		end = close + strcspn(close, "<");
		for (const char *p = close; p < end; p++)
			if (!strncasecmp(p, "rel=next", 8) || !strncasecmp(p, "rel=\"next\"", 10))
				return gp_memdup0(open + 1, (size_t)(close - open - 1));
	}
	return NULL;
}

/* The token goes to no other place than where the forge is. */
static int check_next(const struct gp_github *g, const char *next, struct gp_err *err)
{
	size_t n = strlen(g->address.rest);

	if (!next || (!strncmp(next, g->address.rest, n) && next[n] == '/'))
		return 0;
	return gp_github_nonsense(g, "the next page of a list is at another address", err);
}

/* Puts an answer into the cache; takes its json over. Returns its place. */
static struct gp_github_cached *keep(struct gp_github *g, const char *url, struct gp_github_answer *answer)
{
	struct gp_github_cached *c = find(g, url);

	if (!c) {
		g->cache = gp_grow(g->cache, g->cache_count, sizeof *g->cache);
		c = &g->cache[g->cache_count++];
		*c = (struct gp_github_cached){.url = gp_strdup(url)};
	}
	free(c->etag);
	free(c->next);
	gp_json_free(c->json);
	c->etag = gp_strdup(gp_http_header(&answer->raw, "etag"));
	c->next = next_link(gp_http_header(&answer->raw, "link"));
	c->json = answer->json;
	answer->json = NULL;
	return c;
}

int gp_github_get(struct gp_github *g, const char *url, const struct gp_json **page, char **next, bool *denied,
		  struct gp_err *err)
{
	struct gp_github_cached *cached = find(g, url);
	const struct gp_github_call call = {"GET", url, NULL, cached ? cached->etag : NULL, GP_GITHUB_ALWAYS};
	struct gp_github_answer answer;
	int rc = gp_github_send(g, &call, &answer, err);

	*page = NULL;
	*next = NULL;
	if (!rc && answer.status == 200)
		cached = keep(g, url, &answer);
	else if (!rc && answer.status != 304)
		cached = NULL;
	if (!rc && cached) {
		*page = cached->json;
		rc = check_next(g, cached->next, err);
		*next = rc ? NULL : gp_strdup(cached->next);
	} else if (!rc && denied && answer.status == 403) {
		*denied = true;
	} else if (!rc && answer.status != 404 && answer.status != 422) {
		rc = gp_github_refuse(g, &answer, "contents and commit statuses: read", err);
	}
	gp_github_answer_free(&answer);
	return rc;
}

void gp_github_forget(struct gp_github *g)
{
	for (size_t i = 0; i < g->cache_count; i++) {
		free(g->cache[i].url);
		free(g->cache[i].etag);
		free(g->cache[i].next);
		gp_json_free(g->cache[i].json);
	}
	free(g->cache);
	g->cache = NULL;
	g->cache_count = 0;
}
