#include "gate/renewal.h"

#include <stdlib.h>

#include "gate/gate.h"
#include "gate/posting.h"
#include "sys/mem.h"

/* Judges the head and posts. Returns 1 if the gate is open, 0 if not, -1. */
static int judge(struct gp_base *base, struct gp_forge *forge, const struct gp_config *config,
		 const struct gp_json *pull, const struct gp_oid *head, struct gp_err *err)
{
	const struct gp_judged judged = {gp_json_get_text(pull, "branch"), gp_json_get_text(pull, "description"),
					 *head};
	char hex[GP_OID_HEX + 1], line[GP_POSTING_DESCRIPTION + 1];
	struct gp_verdict v;
	int rc = gp_gate_judge(&v, base, config, forge, NULL, &judged, err);

	if (rc)
		return -1;
	rc = v.state == GP_GATE_OPEN;
	gp_clean_line(line, sizeof line, v.reason);
	if (rc && gp_forge_set_status(forge, gp_oid_hex(hex, head), gp_json_get_int(pull, "number", 0), NULL,
				      config->gate_check, "success", line, v.url, err))
		rc = -1;
	gp_verdict_free(&v);
	return rc;
}

void gp_gate_renew(struct gp_base *base, struct gp_forge *forge, const struct gp_json *pull, const struct gp_oid *head,
		   gp_told_fn *told, void *ctx)
{
	int64_t number = gp_json_get_int(pull, "number", 0);
	struct gp_config config = {0};
	struct gp_err err = {0};
	char *text = NULL;
	int rc = gp_base_config(base, &config, NULL, NULL, &err);

	if (!rc)
		rc = gp_posting_is_green(forge, gp_json_get_text(pull, "head"), number, config.gate_check, &err);
	if (rc > 0)
		rc = judge(base, forge, &config, pull, head, &err);
	if (rc > 0)
		text = gp_asprintf("posted '%s' success on the new commit of #%lld", config.gate_check,
				   (long long)number);
	else if (rc < 0)
		text = gp_asprintf("cannot post the gate of #%lld, which its job has to do: %s", (long long)number,
				   err.message);
	if (text)
		told(ctx, 0, text);
	free(text);
	gp_config_free(&config);
}
