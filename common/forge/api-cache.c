/* Lists, requested conditionally. https://datatracker.ietf.org/doc/html/rfc9110#section-13.1.2 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forge/api.h"
#include "sys/mem.h"

static struct gp_api_cached *find(struct gp_api *api, const char *url)
{
	for (size_t i = 0; i < api->cache_count; i++)
		if (!strcmp(api->cache[i].url, url))
			return &api->cache[i];
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

/* The token is sent to the forge's API and nowhere else. */
static int check_next(const struct gp_api *api, const char *next, struct gp_err *err)
{
	size_t n = strlen(api->base);

	if (!next || (!strncmp(next, api->base, n) && next[n] == '/'))
		return 0;
	return gp_api_nonsense(api, "the next page of a list is at another address", err);
}

/* Puts an answer into the cache; takes its json over. Returns its place. */
static struct gp_api_cached *keep(struct gp_api *api, const char *url, struct gp_api_answer *answer)
{
	struct gp_api_cached *c = find(api, url);

	if (!c) {
		api->cache = gp_grow(api->cache, api->cache_count, sizeof *api->cache);
		c = &api->cache[api->cache_count++];
		*c = (struct gp_api_cached){.url = gp_strdup(url)};
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

int gp_api_get(struct gp_api *api, const char *url, struct gp_api_answer *answer, const struct gp_json **page,
	       const char **next, struct gp_err *err)
{
	struct gp_api_cached *cached = find(api, url);
	const struct gp_api_call call = {"GET", url, NULL, cached ? cached->etag : NULL, GP_API_ALWAYS};
	int rc = gp_api_send(api, &call, answer, err);

	*page = NULL;
	if (!rc && answer->status == 200)
		cached = keep(api, url, answer);
	if (!rc && cached && (answer->status == 200 || answer->status == 304)) {
		*page = cached->json;
		rc = check_next(api, cached->next, err);
	}
	if (next)
		*next = *page && !rc ? cached->next : NULL;
	return rc;
}
