/*
 * jq-driver [ARGUMENT...]: jq(1), started in a tenth of the time if all that it has to do is to print one member of one
 * document: [-r] .a.b[0].c [FILE]. Tests ask for hundreds of those, and jq 1.6 compiles its library at each start. Anything
 * else goes to jq itself: other options and filters, several documents, members that are objects, arrays, fractions or
 * text with escapes, and whatever gp's own parser refuses.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/json.h"
#include "sys/err.h"
#include "sys/io.h"

static void real_jq(char **argv)
{
	argv[0] = (char[]){"jq"};
	execvp("jq", argv);
	perror("jq");
	exit(127);
}

/* What was read from standard input is there once more. */
static void put_back(const char *text, size_t len)
{
	int fd = memfd_create("input", 0);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, 0) < 0) {
		perror("jq-driver");
		exit(71);
	}
	close(fd);
}

static bool is_path(const char *s)
{
	if (*s != '.' || !(isalpha((unsigned char)s[1]) || s[1] == '_'))
		return false;
	while (*s) {
		if (*s == '.' && (isalpha((unsigned char)s[1]) || s[1] == '_')) {
			for (s++; isalnum((unsigned char)*s) || *s == '_';)
				s++;
		} else if (*s == '[' && isdigit((unsigned char)s[1]) && s[2] == ']') {
			s += 3;
		} else {
			return false;
		}
	}
	return true;
}

/* The member at the path; NULL if there is none. *is_odd: jq has to say what that is. */
static const struct gp_json *at(const struct gp_json *json, const char *path, bool *is_odd)
{
	char key[128];
	size_t len;

	while (json && *path && !gp_json_is_null(json)) {
		if (*path == '[') {
			*is_odd |= !gp_json_is_array(json);
			json = gp_json_first(json);
			for (int n = path[1] - '0'; json && n > 0; n--)
				json = gp_json_next(json);
			path += 3;
			continue;
		}
		len = strcspn(++path, ".[");
		if (!gp_json_is_object(json) || len >= sizeof key) {
			*is_odd = true;
			return NULL;
		}
		memcpy(key, path, len);
		key[len] = '\0';
		json = gp_json_get(json, key);
		path += len;
	}
	return json;
}

/* As jq prints it; NULL if that is for jq itself. Yours. */
static char *printed(const struct gp_json *json, bool is_raw)
{
	const char *text = json ? gp_json_text(json) : NULL;
	char *number;

	if (!json || gp_json_is_null(json))
		return strdup("null");
	if (text) {
		for (const char *c = text; *c; c++)
			if ((*c < ' ' && *c != '\n') || *c > '~' || (!is_raw && strchr("\"\\\n", *c)))
				return NULL;
		return is_raw ? strdup(text) : gp_json_print(json);
	}
	if (gp_json_is_object(json) || gp_json_is_array(json))
		return NULL;
	number = gp_json_print(json);
	if (!gp_json_is_bool(json) && (strlen(number) > 15 || number[strspn(number, "0123456789")])) {
		free(number);
		return NULL;
	}
	return number;
}

int main(int argc, char **argv)
{
	bool is_raw = argc > 1 && !strcmp(argv[1], "-r"), is_odd = false;
	int first = is_raw ? 2 : 1;
	char *text = NULL, *out = NULL;
	size_t len = 0;
	struct gp_json *json;
	struct gp_err err = {0};

	if (argc - first < 1 || argc - first > 2 || !is_path(argv[first]))
		real_jq(argv);
	if (argc - first == 2 && (close(0) || open(argv[first + 1], O_RDONLY) != 0))
		real_jq(argv);
	if (gp_read_all(&text, &len, 0, 256 << 20, &err)) {
		fprintf(stderr, "jq-driver: %s\n", err.message);
		return err.code;
	}
	json = gp_json_parse(text, len, &err);
	out = json ? printed(at(json, argv[first], &is_odd), is_raw) : NULL;
	if (!out || is_odd) {
		if (argc - first == 1)
			put_back(text, len);
		real_jq(argv);
	}
	puts(out);
	free(out);
	gp_json_free(json);
	free(text);
	return fflush(stdout) ? 71 : 0;
}
