#include "data/yaml.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sys/mem.h"

/* Words that some reader takes for null, a boolean, a merge or a default; Ruby's takes them in any case. */
static const char *const words[] = {"~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "="};

/*
 * What some reader takes for a number: https://yaml.org/type/ (1.1), section
 * 10.3.2 of https://yaml.org/spec/1.2.2/, and go-yaml's resolve.go, which
 * drops every underscore first and takes capitals in prefixes too.
 */
static const char *const numbers[] = {
	"^[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?$",
	"^[-+]?0[bB][-+]?[01]+$",
	"^[-+]?0[oO][-+]?[0-7]+$",
	"^[-+]?0[xX][-+]?[0-9a-fA-F]+$",
	"^[-+]?[0-9]+(:[0-9]{1,2})+(\\.[0-9]*)?$", /* 12:30 counts in sixties */
	"^[-+]?\\.([iI][nN][fF]|[nN][aA][nN])$",
};

/* A date, or a date and a time, of one or two digits each as go-yaml has it. */
static const char *const times[] = {
	"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([tT]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\\.[0-9]*)?"
	"([ \t]*([zZ]|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?$",
};

static bool matches(const char *text, const char *const *patterns, size_t n)
{
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		regex_t regex;

		/* A pattern above that does not compile would be noticed by the first test; never silently let through. */
		if (regcomp(&regex, patterns[i], REG_EXTENDED | REG_NOSUB))
			return true;
		found = !regexec(&regex, text, 0, NULL, 0);
		regfree(&regex);
	}
	return found;
}

/* Whether the text may stand without quotes at all, also within [] and {}, and means itself. */
static bool can_be_plain(const char *s)
{
	size_t n = strlen(s);

	if (!n || strchr("?:,[]{}#&*!|>'\"%@` ", s[0]) || s[n - 1] == ' ' || s[n - 1] == ':')
		return false;
	if (s[0] == '-' && (n == 1 || s[1] == ' ' || s[1] == '-'))
		return false;
	if (!strncmp(s, "...", 3) || strstr(s, ": ") || strstr(s, " #"))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f || strchr(",[]{}", *s))
			return false;
	return true;
}

static bool is_number(const char *s)
{
	char *digits = gp_strdup(s), *to = digits;
	bool found;

	for (; *s; s++)
		if (*s != '_')
			*to++ = *s;
	*to = '\0';
	found = matches(digits, numbers, sizeof numbers / sizeof *numbers);
	free(digits);
	return found;
}

bool gp_yaml_plain_is_string(const char *text)
{
	return can_be_plain(text) && gp_yaml_reads_as_string(text);
}

bool gp_yaml_reads_as_string(const char *text)
{
	if (!*text)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcasecmp(text, words[i]))
			return false;
	if (!strchr("+-.0123456789", text[0]))
		return true;
	return !is_number(text) && !matches(text, times, sizeof times / sizeof *times);
}
