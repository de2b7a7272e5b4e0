#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "git/program.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/pause.h"

/* "12:34:56.789012 http.c:684   <= Recv header: Retry-After: 2": how git traces what libcurl does. */
static bool is_trace(const char *line)
{
	static const char form[] = "00:00:00.000000 ";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
			return false;
	return true;
}

/* What a line of the trace says after `name`, or NULL. */
static const char *header_in(const char *line, size_t len, const char *name)
{
	static const char received[] = "<= Recv header: ";
	const char *at = memmem(line, len, received, sizeof received - 1);

	if (!at)
		return NULL;
	at += sizeof received - 1;
	return strncasecmp(at, name, strlen(name)) ? NULL : at + strlen(name);
}

/* Seconds or a date: https://datatracker.ietf.org/doc/html/rfc9110#section-10.2.3 */
static long long wait_of(const char *value)
{
	long long seconds;
	struct tm tm = {0};

	value += strspn(value, " ");
	if (*value >= '0' && *value <= '9')
		seconds = strtoll(value, NULL, 10);
	else if (strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		seconds = (long long)timegm(&tm) - (long long)time(NULL);
	else
		return 0;
	return seconds < 0 ? 0 : seconds < 86400 ? seconds * 1000 : 86400000;
}

long long gp_repository_take_trace(char *text)
{
	long long wait = 0;
	char *to = text;

	for (const char *line = text, *next; *line; line = next) {
		size_t len = strcspn(line, "\n");
		const char *value;

		next = line + len + (line[len] == '\n');
		if (!is_trace(line)) {
			memmove(to, line, (size_t)(next - line));
			to += next - line;
			continue;
		}
		value = header_in(line, len, "HTTP/");
		/* A new answer. */
		wait = value ? 0 : wait;
		value = header_in(line, len, "retry-after:");
		wait = value ? wait_of(value) : wait;
	}
	*to = '\0';
	return wait;
}

static bool has_one(const char *text, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

bool gp_repository_is_denied(const char *text)
{
	static const char *const words[] = {"could not read Username", "could not read Password",
					    "Authentication failed", "The requested URL returned error: 403"};

	return has_one(text, words, sizeof words / sizeof *words);
}

/* How the words of git, libcurl, its TLS libraries and OpenSSH begin or go on when something may pass. */
enum gp_passing gp_repository_may_pass(const struct gp_output *o)
{
	static const char *const never[] = {"does not appear to be a git repository", "not found", "Permission denied"};
	static const char *const unknown[] = {"Could not resolve host"};
	static const char *const soon[] = {"Failed to connect", "Connection refused"};
	static const char *const later[] = {"returned error: 5",
					    "returned error: 408",
					    "returned error: 429",
					    "HTTP 5",
					    "HTTP 408",
					    "HTTP 429",
					    "Connection reset",
					    "Connection was reset",
					    "Connection closed",
					    "Connection timed out",
					    "Recv failure",
					    "Send failure",
					    "recv error",
					    "SSL_read",
					    "SSL_ERROR_SYSCALL",
					    "TLS connection was non-properly terminated",
					    "Empty reply from server",
					    "Operation too slow",
					    "timed out",
					    "transfer closed with",
					    "HTTP/2 stream",
					    "unexpected disconnect",
					    "early EOF",
					    "bytes of body are still expected",
					    "expected flush after",
					    "hung up upon initial contact",
					    "hung up unexpectedly",
					    "kex_exchange_identification"};

	if (!o->status || gp_repository_is_denied(o->err))
		return GP_PASSING_NEVER;
	if (has_one(o->err, never, sizeof never / sizeof *never))
		return GP_PASSING_NEVER;
	if (has_one(o->err, unknown, sizeof unknown / sizeof *unknown))
		return GP_PASSING_UNKNOWN;
	if (has_one(o->err, soon, sizeof soon / sizeof *soon))
		return GP_PASSING_SOON;
	return has_one(o->err, later, sizeof later / sizeof *later) ? GP_PASSING_LATER : GP_PASSING_NEVER;
}

/* A name or a port that is not there may be a mistake: it gets a few attempts, not minutes. */
enum { FEW = 3 };

bool gp_repository_tries_again(struct gp_repository *r, const struct gp_output *o, int attempt, long long until)
{
	enum gp_passing passing = gp_repository_may_pass(o);
	/* One that gp itself has ended after all that time (gp_run_within) would not do better. */
	if (passing == GP_PASSING_NEVER || strstr(o->err, "git: timed out after ") ||
	    (passing != GP_PASSING_LATER && attempt >= FEW))
		return false;
	if (!r->chance)
		r->chance = (unsigned)time(NULL) ^ (unsigned)getpid();
	long long pause = gp_pause_ms(attempt, r->retry_after_ms, &r->chance);

	if (gp_now_ms() + pause > until)
		return false;
	gp_sleep_ms(pause);
	return true;
}
