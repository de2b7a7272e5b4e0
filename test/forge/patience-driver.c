/*
 * patience-driver COUNT SECONDS: asks a forge's driver that writes COUNT empty lines (-1: for ever), one each SECONDS, and
 * then its reply; prints what comes of it, and how many seconds it took. No time passes: the clock is this program's own.
 */
#define gp_lines_next next_line
#define gp_now_ms now_ms
#include "forge/client.c" /* NOLINT(bugprone-suspicious-include) */
#undef gp_now_ms
#undef gp_lines_next

#include <fcntl.h>

/* What is still to be said, how long each takes, and what the clock shows. */
static long to_say, interval_s;
static long long clock_ms;

long long now_ms(void)
{
	return clock_ms;
}

int next_line(struct gp_lines *lines, char **line, size_t *line_len, size_t max, int timeout_ms, struct gp_err *err)
{
	static char nothing[] = "", reply[] = "{\"id\": 1, \"result\": {\"pull_requests\": []}}";

	(void)lines, (void)max;
	if (interval_s * 1000 > timeout_ms) {
		clock_ms += timeout_ms;
		return gp_fail(err, GP_EXIT_RETRY, "no answer within %d s", timeout_ms / 1000);
	}
	clock_ms += interval_s * 1000;
	*line = to_say ? nothing : reply;
	*line_len = strlen(*line);
	to_say -= to_say > 0;
	return 1;
}

int main(int argc, char **argv)
{
	struct gp_forge *forge = gp_calloc(1, sizeof *forge);
	struct gp_json *pulls;
	struct gp_err err = {0};

	if (argc != 3)
		return GP_EXIT_USAGE;
	to_say = strtol(argv[1], NULL, 10);
	interval_s = strtol(argv[2], NULL, 10);
	/* As by default: 30 seconds for a request, 60 to try again, and ten. */
	*forge = (struct gp_forge){.child = {-1, open("/dev/null", O_WRONLY), -1},
				   .repository = gp_json_object(),
				   .name = gp_strdup("gp-forge-slow"),
				   .timeout_ms = 100000};
	pulls = gp_forge_find_open(forge, &err);
	printf("%s after %lld s\n", pulls ? "a reply" : err.message, clock_ms / 1000);
	gp_json_free(pulls);
	gp_forge_end(forge);
	return err.code;
}
