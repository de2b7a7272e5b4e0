/*
 * api.h - a client for a forge's JSON API over HTTP: who asks, how patiently,
 * when to ask again, and what is remembered of lists. What differs between
 * forges is in a struct gp_api_forge, which each driver has one of. For the
 * drivers' modules; the token goes to the API's address and nowhere else.
 */
#ifndef GP_API_H
#define GP_API_H

#include <stdbool.h>

#include "data/json.h"
#include "forge/provider.h"
#include "forge/server.h"
#include "http/http.h"
#include "sys/err.h"

struct gp_api_patience {
	long timeout_ms;     /* for one request */
	long long budget_ms; /* for all repetitions of one, and for all waiting within an operation */
};

struct gp_api_answer {
	long status;
	struct gp_json *json;     /* the body; NULL if there is none */
	struct gp_http_reply raw; /* its headers */
	bool repeated;            /* an earlier attempt may have done it already */
};

/* What differs between forges. */
struct gp_api_forge {
	const char *provider;       /* as provider.h knows it */
	const char *const *headers; /* that every request has, up to a NULL */
	/* How long to wait if an answer is a rate limit; -1: it is none. attempt: from 1. */
	long long (*limit_ms)(const struct gp_api_answer *answer, int attempt);
	/* The text of an error's body: in lower case, without full stop. Yours; NULL if it has none. */
	char *(*words)(const struct gp_json *json);
	/* Whether an answer is a sign-in page, whatever its status; NULL: the forge has none. */
	bool (*is_sign_in)(const struct gp_http_reply *raw);
};

/* The API of one repository, with a token. Begins with {0}. */
struct gp_api {
	const struct gp_api_forge *forge;
	const char *host; /* for messages; borrowed */
	const char *base; /* the address before a URL that begins with '/'; borrowed */
	struct gp_api_patience patience;
	struct gp_http *http;
	char *token, *authorization;
	long long wait_until;      /* of the operation: do not wait past it */
	long long until, deadline; /* of the next request: no repetition starts after until, none lasts past deadline */
	long long not_before;      /* rate limited until then */
	struct gp_forge_work *work; /* of the operation */
	unsigned chance;            /* for pauses */
	size_t received;            /* bytes, by the operation */
	struct gp_api_cached {
		char *url, *etag, *next;
		struct gp_json *json;
	} *cache; /* answers by URL */
	size_t cache_count;
};

/* A forge that is reached through an API: what its driver is made of. */
struct gp_api_driver {
	const char *name;              /* "gp-forge-NAME" */
	const char *forge;             /* its name for people */
	const struct gp_forge_op *ops; /* on what open returns: a struct that begins with its struct gp_api */
	struct gp_api *(*open)(const char *url, const struct gp_api_patience *patience, gp_env_fn *env,
			       struct gp_err *err);
	void (*close)(void *repository);
};

/*
 * Finds the token for the server of the remote's URL. host and base are borrowed for as long as api is used. Sends
 * nothing yet. errors: 71, 77 if there is no token, 78.
 */
int gp_api_open(struct gp_api *api, const struct gp_api_forge *forge, const char *host, const char *base,
		const char *url, const struct gp_api_patience *patience, gp_env_fn *env, struct gp_err *err);
void gp_api_close(struct gp_api *api);

/*
 * Runs an operation, which gets `repository`. Each request to the forge has the whole budget and time-out, however many
 * came before it: an operation may take as long as it gets answers, and reports progress through work (may be NULL). A
 * token that was echoed is removed from the error.
 */
struct gp_json *gp_api_answer_request(struct gp_api *api, gp_forge_op_fn *fn, void *repository,
				      const struct gp_json *request, struct gp_forge_work *work, struct gp_err *err);

/*
 * Waits at least least_ms before attempt number `attempt` (from 1) of something that may still happen though each
 * answer is correct. Returns 0, or -1 at once if that exceeds the budget since the operation began; *wait_ms (may be
 * NULL) is how long it is.
 */
int gp_api_pause(struct gp_api *api, int attempt, long long least_ms, long long *wait_ms);

enum gp_api_repeat {
	GP_API_ALWAYS,   /* doing it twice is as good as once */
	GP_API_IF_UNSENT /* only if the forge cannot have seen it */
};
struct gp_api_call {
	const char *method;
	const char *url;            /* appended to api->base if it begins with "/"; or an absolute URL from the forge */
	const struct gp_json *body; /* borrowed; NULL: none */
	const char *etag;           /* If-None-Match; NULL: none */
	enum gp_api_repeat repeat;
};
/*
 * Sends a request, repeats it if that may help, and waits as the forge asks, within the budget. Any decision of the
 * forge, 2xx, 304 or 4xx, is an answer, yours (gp_api_answer_free), except for 401 and a sign-in page (77). errors: 71
 * if gp has gone, 75, 76 (also for more than 512 MiB within one operation), 77, 78.
 */
int gp_api_send(struct gp_api *api, const struct gp_api_call *call, struct gp_api_answer *answer, struct gp_err *err);
void gp_api_answer_free(struct gp_api_answer *answer);

/* "invalid response from HOST: what"; 76. Returns -1. */
int gp_api_nonsense(const struct gp_api *api, const char *what, struct gp_err *err);

/*
 * api-pages.c: the pages of a list; begins with {0}. next: the cursor or address of the page to be asked for. One that was
 * seen before, and more than a thousand pages, are 76. Returns 0 or -1.
 */
struct gp_api_pages {
	char **seen;
	size_t count;
};
int gp_api_turn(const struct gp_api *api, struct gp_api_pages *pages, const char *next, struct gp_err *err);
void gp_api_pages_free(struct gp_api_pages *pages);

/* What Retry-After asks for, in milliseconds; -1 if the answer has none. */
long long gp_api_retry_after_ms(const struct gp_http_reply *raw);
/* The time on the forge's clock, in seconds since 1970; ours if it does not say. */
long long gp_api_clock(const struct gp_http_reply *raw);

/* api-text.c: makes a sentence a message of gp's: no full stop, a lower-case beginning. In place. */
void gp_api_settle(char *text);
/* Whether part is in text (may be NULL), in whatever case. */
bool gp_api_mentions(const char *text, const char *part);
/* A name in a path or a query: all but unreserved characters (RFC 3986, section 2.3) as %XX. Yours. */
char *gp_api_escape(const char *name);
/*
 * Shortens a text to `max` characters (of UTF-16, if the forge counts those); a text that was cut ends in "...". Yours.
 */
char *gp_api_shorten(const char *text, size_t max, bool utf16);

/*
 * api-cache.c: a conditional GET: a 304 costs little or nothing. *page is the body of a 200 or 304, borrowed until the
 * next GET of it; *next (may be NULL) is the next page from its Link header, borrowed as long, or NULL. For any other
 * status *page is NULL. answer is yours.
 */
int gp_api_get(struct gp_api *api, const char *url, struct gp_api_answer *answer, const struct gp_json **page,
	       const char **next, struct gp_err *err);

#endif
