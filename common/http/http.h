/*
 * http.h - one HTTP request at a time, to one forge. The only way to libcurl,
 * which nothing else includes. Redirects are not followed, TLS is verified,
 * http:// goes to this machine alone and never through a proxy; what a reply
 * may take is bounded in time and size. Neither headers nor bodies are logged.
 */
#ifndef GP_HTTP_H
#define GP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/err.h"

enum { GP_HTTP_MAX_BODY = 64 << 20 };

/*
 * A client; it keeps its connections for the next request. ca_file: a bundle
 * of certificates in place of the system's, or NULL; copied. Proxies are
 * libcurl's own affair: HTTPS_PROXY, ALL_PROXY, NO_PROXY
 * (https://curl.se/libcurl/c/libcurl-env.html). errors: 71. Yours.
 */
struct gp_http;
struct gp_http *gp_http_new(const char *ca_file, struct gp_err *err);
void gp_http_free(struct gp_http *http);

/* What to send; borrowed. */
struct gp_http_request {
	const char *method, *url;
	const char *const *headers; /* "Name: value" up to a NULL */
	const char *body;           /* NULL: none */
	long timeout_ms;            /* for all of it, from connecting to the last byte */
};

/* What came back; yours (gp_http_reply_free), also where the request failed. */
struct gp_http_reply {
	long status;
	char **headers; /* "name: value", header_count of them */
	size_t header_count;
	char *body; /* followed by a NUL; NULL if there is none */
	size_t len;
	bool unsent; /* it failed before the server can have seen the request: repeating it is safe */
	bool resent; /* the server may have seen it twice: the connection that was kept for it had to be made again */
};
void gp_http_reply_free(struct gp_http_reply *reply);

/* A header of the reply, its name in any case; NULL if there is none. Borrowed. */
const char *gp_http_header(const struct gp_http_reply *reply, const char *name);

/* A date as HTTP writes it, in seconds since 1970; -1 if text (may be NULL) is none. */
long long gp_http_date(const char *text);

/* Whether a URL may be asked: https, or http to this machine; no name or password in it. errors: 78. */
int gp_http_check_url(const char *url, struct gp_err *err);

/*
 * Asks. Any status is an answer. errors: 75 if there was none (timeout,
 * connection), 76 for one that is too long, 78 for a URL that may not be asked,
 * a certificate that is not trusted, or a bundle that cannot be read.
 */
int gp_http_ask(struct gp_http *http, const struct gp_http_request *request, struct gp_http_reply *reply,
		struct gp_err *err);

#endif
