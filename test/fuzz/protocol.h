/*
 * protocol.h - what gp-forge(7) promises of the results of operations, for the
 * targets on both sides of it.
 */
#ifndef GP_FUZZ_PROTOCOL_H
#define GP_FUZZ_PROTOCOL_H

#include "data/json.h"
#include "fuzz.h"
#include "sys/err.h"

static inline void protocol_check_error(const struct gp_err *err)
{
	FUZZ_HOLDS(err->code > 0 && err->code < 256 && *err->message && fuzz_is_printable(err->message));
}

static inline bool protocol_is_commit(const char *text)
{
	return text && strlen(text) == 40 && strspn(text, "0123456789abcdef") == 40;
}

static inline void protocol_check_pull(const struct gp_json *pull)
{
	static const char *const texts[] = {"url", "title", "description", "branch", "base"};
	const char *state = gp_json_get_text(pull, "state");
	const struct gp_json *merged = gp_json_get(pull, "merge_commit"), *id = gp_json_get(pull, "id");

	FUZZ_HOLDS(gp_json_get_int(pull, "number", 0) > 0 && protocol_is_commit(gp_json_get_text(pull, "head")));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		FUZZ_HOLDS(gp_json_get_text(pull, texts[i]));
	FUZZ_HOLDS(state && (!strcmp(state, "open") || !strcmp(state, "merged") || !strcmp(state, "closed")));
	FUZZ_HOLDS(gp_json_is_bool(gp_json_get(pull, "auto_merge")) && gp_json_is_bool(gp_json_get(pull, "fork")));
	FUZZ_HOLDS(!merged || gp_json_is_null(merged) || protocol_is_commit(gp_json_text(merged)));
	FUZZ_HOLDS(!id || gp_json_is_null(id) || gp_json_is_string(id));
}

static inline void protocol_check_status(const struct gp_json *status)
{
	const char *state = gp_json_get_text(status, "state");

	FUZZ_HOLDS(gp_json_get_text(status, "context") && state);
	FUZZ_HOLDS(!strcmp(state, "success") || !strcmp(state, "failure") || !strcmp(state, "pending"));
}

static inline void protocol_check_statuses(const struct gp_json *list)
{
	FUZZ_HOLDS(gp_json_is_array(list));
	for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s))
		protocol_check_status(s);
}

#endif
