#include "tool/wrapper.h"

#include <stdlib.h>
#include <string.h>

#include "sys/exit.h"
#include "sys/mem.h"

/* Words of lower-case letters with a '|' between them; none is a list, too. */
static bool is_list(const char *choices)
{
	return choices[strspn(choices, "abcdefghijklmnopqrstuvwxyz|")] == '\0' && *choices != '|' &&
	       !strstr(choices, "||");
}

/* Whether a value is one of the choices. */
static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *at = choices; *at; at += strcspn(at, "|"), at += *at == '|')
		if (strcspn(at, "|") == len && !strncmp(at, value, len))
			return true;
	return !*choices;
}

int gp_wrapper_check(const struct gp_wrapper *w, const char *program, struct gp_err *err)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->wanted[i].value && *w->wanted[i].value && !is_choice(w->wanted[i].choices, w->wanted[i].value))
			return gp_fail(err, GP_EXIT_USAGE, "--%s is %s, not '%s' (try %s --help)", w->wanted[i].name,
				       w->wanted[i].choices, w->wanted[i].value, program);
	return 0;
}

/* Adds the option that a word of the list describes. */
static int add(struct gp_wrapper *w, const char *word, struct gp_err *err)
{
	struct gp_wanted *wanted = &w->wanted[w->count];
	unsigned kind = 0;
	char letter = 0;

	if (w->count == GP_MAX_OPTIONS)
		return gp_fail(err, GP_EXIT_USAGE, "more than %d options", GP_MAX_OPTIONS);
	for (; *word == '+' || *word == '!'; word++)
		kind |= *word == '+' ? GP_OPTION_BARE : GP_OPTION_NEEDED;
	if (*word && word[1] == ':') {
		letter = *word;
		word += 2;
	}
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");
	const char *rest = word + len;

	const char *choices = *rest == '=' && rest[1] != '?' ? rest + 1 : "";

	wanted->is_flag = !*rest;
	kind |= !*rest ? GP_OPTION_FLAG : !strcmp(rest, "=?") ? GP_OPTION_DURATION : GP_OPTION_TEXT;
	if (!len || *word == '-' || (*rest && *rest != '=') ||
	    (*rest && strcmp(rest, "=?") != 0 && !is_list(choices)) || (wanted->is_flag && kind != GP_OPTION_FLAG))
		return gp_fail(err, GP_EXIT_USAGE, "no option is described by '%s'", word);
	wanted->name = gp_memdup0(word, len);
	wanted->choices = gp_strdup(choices);
	wanted->variable = gp_strdup(wanted->name);
	for (char *c = wanted->variable; (c = strchr(c, '-'));)
		*c = '_';
	w->options[w->count] = (struct gp_option){wanted->name, letter, kind,
						  wanted->is_flag ? (void *)&wanted->given : (void *)&wanted->value};
	w->count++;
	return 0;
}

int gp_wrapper_read(struct gp_wrapper *w, const char *list, struct gp_err *err)
{
	char *words = gp_strdup(list), *save = NULL;
	int rc = 0;

	for (char *word = strtok_r(words, " \t\n", &save); word && !rc; word = strtok_r(NULL, " \t\n", &save))
		rc = add(w, word, err);
	free(words);
	return rc;
}

void gp_wrapper_free(struct gp_wrapper *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->wanted[i].name);
		free(w->wanted[i].variable);
		free(w->wanted[i].choices);
	}
}
