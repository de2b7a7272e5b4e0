#include "setter/sops.h"

#include <stdbool.h>
#include <string.h>

#include "data/yaml.h"
#include "sys/exit.h"

/* Where the parser is, and what the document has said so far. */
struct seen {
	size_t depth;
	bool at_sops, in_sops;            /* its key has been read; its mapping is open */
	enum { OTHER, MAC, ONLY } member; /* whose value comes next */
	size_t mac;                       /* the line of sops.mac; 0: none */
	bool only_encrypted;
};

static void note_scalar(struct seen *s, const struct gp_yaml_event *e)
{
	if (e->is_key && s->depth == 1) {
		s->at_sops = !strcmp(e->value, "sops");
		return;
	}
	if (s->depth == 2 && s->in_sops && e->is_key) {
		s->member = !strcmp(e->value, "mac") ? MAC : !strcmp(e->value, "mac_only_encrypted") ? ONLY : OTHER;
		return;
	}
	if (s->depth == 2 && s->in_sops && s->member == MAC && *e->value)
		s->mac = e->line;
	if (s->depth == 2 && s->in_sops && s->member == ONLY)
		s->only_encrypted = !strcmp(e->value, "true");
	s->member = OTHER;
}

static int note_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct seen *s = ctx;

	switch (e->type) {
	case GP_YAML_DOCUMENT_START:
		*s = (struct seen){0};
		break;
	case GP_YAML_MAPPING_START:
	case GP_YAML_SEQUENCE_START:
		if (s->depth == 1)
			s->in_sops = s->at_sops && e->type == GP_YAML_MAPPING_START;
		s->member = OTHER;
		s->depth++;
		break;
	case GP_YAML_MAPPING_END:
	case GP_YAML_SEQUENCE_END:
		s->depth--;
		break;
	case GP_YAML_SCALAR:
		note_scalar(s, e);
		break;
	case GP_YAML_DOCUMENT_END:
		if (s->mac && !s->only_encrypted)
			return gp_fail(err, GP_EXIT_INPUT,
				       "line %zu: the MAC of SOPS is over plain values too, and would not verify any "
				       "more; encrypt with mac_only_encrypted: true",
				       s->mac);
		break;
	default:
		break;
	}
	return 0;
}

int gp_sops_check(const char *text, size_t len, struct gp_err *err)
{
	struct seen seen = {0};

	if (!memmem(text, len, "sops", 4))
		return 0;
	return gp_yaml_parse(text, len, note_event, &seen, err);
}
