#include "http/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sys/exit.h"
#include "sys/mem.h"

struct gp_http {
	CURL *curl;
	char *ca_file;
	bool connected; /* there may be a connection from an earlier request */
};

struct gp_http *gp_http_new(const char *ca_file, struct gp_err *err)
{
	struct gp_http *http;

	/* libcurl reports a lack of memory as this and that: it gets none but what is there. */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, gp_malloc, free, gp_realloc, gp_strdup, gp_calloc)) {
		gp_fail(err, GP_EXIT_SYSTEM, "libcurl cannot be started");
		return NULL;
	}
	http = gp_calloc(1, sizeof *http);
	http->ca_file = gp_strdup(ca_file);
	http->curl = curl_easy_init();
	if (!http->curl) {
		gp_fail(err, GP_EXIT_SYSTEM, "libcurl cannot be started");
		gp_http_free(http);
		return NULL;
	}
	return http;
}

void gp_http_free(struct gp_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	free(http->ca_file);
	free(http);
	curl_global_cleanup();
}

void gp_http_reply_free(struct gp_http_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++)
		free(reply->headers[i]);
	free(reply->headers);
	free(reply->body);
	*reply = (struct gp_http_reply){0};
}

const char *gp_http_header(const struct gp_http_reply *reply, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = reply->header_count; i-- > 0;) {
		const char *header = reply->headers[i];

		if (!strncasecmp(header, name, n) && header[n] == ':')
			return header + n + 1 + strspn(header + n + 1, " \t");
	}
	return NULL;
}

long long gp_http_date(const char *text)
{
	return text ? (long long)curl_getdate(text, NULL) : -1;
}

static bool is_loopback(const char *host)
{
	return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (!strncmp(host, "127.", 4) && strspn(host, "0123456789.") == strlen(host));
}

static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL, *copy = NULL;
	CURLUcode rc = curl_url_get(url, part, &text, 0);

	if (rc == CURLUE_OUT_OF_MEMORY)
		gp_out_of_memory();
	if (!rc)
		copy = gp_strdup(text);
	curl_free(text);
	return copy;
}

/* Errors name the URL without what may be secret in it. */
static int check_parts(const char *scheme, const char *host, bool has_user, struct gp_err *err)
{
	if (!scheme || !host)
		return gp_fail(err, GP_EXIT_CONFIG, "the address of the forge's API is no URL");
	if (has_user)
		return gp_fail(err, GP_EXIT_CONFIG,
			       "the address of the forge's API at '%s' has a name or password in it", host);
	if (strcmp(scheme, "https") != 0 && (strcmp(scheme, "http") != 0 || !is_loopback(host)))
		return gp_fail(err, GP_EXIT_CONFIG, "'%s://%s' is not asked: a token goes to https:// alone", scheme,
			       host);
	return 0;
}

int gp_http_check_url(const char *url, struct gp_err *err)
{
	CURLU *parsed = curl_url();
	CURLUcode wrong = parsed ? curl_url_set(parsed, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;
	char *scheme = NULL, *host = NULL, *user = NULL, *password = NULL;
	int rc;

	if (wrong == CURLUE_OUT_OF_MEMORY)
		gp_out_of_memory();
	if (!wrong) {
		scheme = url_part(parsed, CURLUPART_SCHEME);
		host = url_part(parsed, CURLUPART_HOST);
		user = url_part(parsed, CURLUPART_USER);
		password = url_part(parsed, CURLUPART_PASSWORD);
	}
	rc = check_parts(scheme, host, user || password, err);
	free(scheme);
	free(host);
	free(user);
	free(password);
	curl_url_cleanup(parsed);
	return rc;
}

/* What an answer is gathered in while it comes. */
struct gathering {
	struct gp_http_reply *reply;
	size_t cap;
	bool too_long;
};

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
	struct gathering *g = ctx;
	struct gp_http_reply *reply = g->reply;
	size_t n = size * count;

	if (n > GP_HTTP_MAX_BODY - reply->len) {
		g->too_long = true;
		return 0;
	}
	if (reply->len + n + 1 > g->cap) {
		g->cap = (reply->len + n + 1) * 2;
		reply->body = gp_reallocarray(reply->body, g->cap, 1);
	}
	memcpy(reply->body + reply->len, data, n);
	reply->len += n;
	reply->body[reply->len] = '\0';
	return n;
}

/* Headers of a proxy's or a preliminary answer (1xx) come first; each status line begins again. */
static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
	struct gp_http_reply *reply = ((struct gathering *)ctx)->reply;
	size_t n = size * count, len = n;

	while (len && strchr("\r\n \t", data[len - 1]))
		len--;
	if (len >= 5 && !strncmp(data, "HTTP/", 5)) {
		for (size_t i = 0; i < reply->header_count; i++)
			free(reply->headers[i]);
		reply->header_count = 0;
	} else if (len) {
		reply->headers = gp_grow(reply->headers, reply->header_count, sizeof *reply->headers);
		reply->headers[reply->header_count++] = gp_memdup0(data, len);
	}
	return n;
}

static void set_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP));
#endif
}

static void set_options(struct gp_http *http, const struct gp_http_request *request, struct gathering *gathering,
			struct curl_slist *headers, char *message)
{
	CURL *curl = http->curl;

	curl_easy_reset(curl);
	set_protocols(curl);
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "gp/" GP_VERSION);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, gathering);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, gathering);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
	}
	if (http->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file);
	/* Without TLS a proxy would see the token. */
	if (!strncasecmp(request->url, "http:", 5))
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static struct curl_slist *header_list(const struct gp_http_request *request)
{
	/* No "Expect: 100-continue", which costs a round trip. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"), *longer = list;

	for (size_t i = 0; longer && request->headers && request->headers[i]; i++)
		longer = curl_slist_append(list, request->headers[i]);
	if (!longer) {
		curl_slist_free_all(list);
		return NULL;
	}
	return list;
}

/* What libcurl could not do. */
static int failure(const struct gp_http *http, CURLcode code, const char *message, struct gp_http_reply *reply,
		   struct gp_err *err)
{
	const char *why = *message ? message : curl_easy_strerror(code);

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return gp_fail(err, GP_EXIT_CONFIG,
			       "the server's certificate is not trusted: %s (SSL_CERT_FILE names your own)", why);
	case CURLE_SSL_CACERT_BADFILE:
		return gp_fail(err, GP_EXIT_CONFIG, "cannot read the certificates in '%s'",
			       http->ca_file ? http->ca_file : "the system's bundle");
	case CURLE_UNSUPPORTED_PROTOCOL:
		/* The scheme was checked before: libcurl also says so of an answer in HTTP/0.9. */
		return gp_fail(err, GP_EXIT_REPLY, "the answer is no HTTP (%s)", why);
	case CURLE_URL_MALFORMAT:
		return gp_fail(err, GP_EXIT_CONFIG, "%s", why);
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		reply->unsent = true;
		break;
	default:
		break;
	}
	return gp_fail(err, GP_EXIT_RETRY, "%s", why);
}

int gp_http_ask(struct gp_http *http, const struct gp_http_request *request, struct gp_http_reply *reply,
		struct gp_err *err)
{
	char message[CURL_ERROR_SIZE] = "";
	struct gathering gathering = {.reply = reply};
	struct curl_slist *headers;
	CURLcode code;
	long connects = 0;
	int rc = 0;

	*reply = (struct gp_http_reply){0};
	if (gp_http_check_url(request->url, err))
		return -1;
	headers = header_list(request);
	if (!headers)
		return gp_fail(err, GP_EXIT_SYSTEM, "libcurl is out of memory");
	set_options(http, request, &gathering, headers, message);
	code = curl_easy_perform(http->curl);
	if (gathering.too_long)
		rc = gp_fail(err, GP_EXIT_REPLY, "its reply is longer than %d MiB", GP_HTTP_MAX_BODY >> 20);
	else if (code)
		rc = failure(http, code, message, reply, err);
	else
		curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	/*
	 * A kept connection that breaks without a byte of an answer is one that the server has closed meanwhile, to libcurl,
	 * which sends the request once more on a new one: https://curl.se/libcurl/c/CURLINFO_NUM_CONNECTS.html counts it.
	 */
	curl_easy_getinfo(http->curl, CURLINFO_NUM_CONNECTS, &connects);
	reply->resent = http->connected && connects > 0;
	http->connected = true;
	/* The next request must not find pointers into this one. */
	curl_easy_reset(http->curl);
	curl_slist_free_all(headers);
	return rc;
}
