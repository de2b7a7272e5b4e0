/*
 * The policies of a branch, evaluated for a pull request: in the background, after it was opened and after each push.
 * https://learn.microsoft.com/rest/api/azure/devops/policy/evaluations/list
 */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

void gp_azdo_policies_free(struct gp_azdo_policies *policies)
{
	free(policies->unmet);
	gp_json_free(policies->optional);
	memset(policies, 0, sizeof *policies);
}

/* Auto-complete also waits for optional policies, unless told otherwise. */
static void add_optional(struct gp_azdo_policies *p, const struct gp_json *rule)
{
	if (gp_json_get_int(rule, "id", 0) <= 0)
		return;
	if (!p->optional)
		p->optional = gp_json_array();
	gp_json_append(p->optional, gp_json_copy(gp_json_get(rule, "id")));
}

static void add_unmet(struct gp_azdo_policies *p, const struct gp_json *rule, const char *how)
{
	char *name = gp_azdo_rule_name(rule),
	     *longer = gp_asprintf("%s%s'%s' is %s", p->unmet ? p->unmet : "", p->unmet ? ", " : "", name, how);

	free(name);
	free(p->unmet);
	p->unmet = longer;
}

/*
 * Adds a rule and its evaluation's status, NULL if it has none yet. "Queued: either queued to run, or is waiting for some
 * event": https://learn.microsoft.com/dotnet/api/microsoft.teamfoundation.policy.webapi.policyevaluationstatus
 */
static void weigh(struct gp_azdo_policies *p, const struct gp_json *rule, const char *status)
{
	enum gp_azdo_rule kind = gp_azdo_rule_of(rule);
	bool missing = !status || !strcmp(status, "queued"), pending = status && !strcmp(status, "running");

	if (kind == GP_AZDO_RULE_OPTIONAL)
		add_optional(p, rule);
	if (!gp_azdo_rule_blocks(rule))
		return;
	p->blocking++;
	if (status && (!strcmp(status, "approved") || !strcmp(status, "notApplicable")))
		return;
	add_unmet(p, rule, missing ? "missing" : pending ? "pending" : status);
	if (kind == GP_AZDO_RULE_MEETABLE && (missing || pending)) {
		p->unseen = p->unclear = true;
	} else if (!status) {
		p->unseen = true;
		p->will_wait = p->will_wait || kind == GP_AZDO_RULE_WAITS;
	} else {
		p->waits = true;
	}
}

static int take_evaluation(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	(void)a;
	(void)err;
	gp_json_append(ctx, gp_json_copy(item));
	return 0;
}

/* An array, yours; NULL with err. */
static struct gp_json *list_evaluations(struct gp_azdo *a, const char *project, int64_t number, struct gp_err *err)
{
	char *artifact = gp_asprintf("vstfs:///CodeReview/CodeReviewId/%s/%lld", project, (long long)number),
	     *escaped = gp_api_escape(artifact),
	     *path = gp_asprintf("policy/evaluations?artifactId=%s&includeNotApplicable=true", escaped);
	struct gp_json *evaluations = gp_json_array();

	if (gp_azdo_list(a, GP_AZDO_EVALUATIONS, path, GP_AZDO_DOLLAR, NULL, take_evaluation, evaluations, err)) {
		gp_json_free(evaluations);
		evaluations = NULL;
	}
	free(path);
	free(escaped);
	free(artifact);
	return evaluations;
}

/* From the evaluations alone. */
static void weigh_evaluations(struct gp_azdo_policies *p, const struct gp_json *evaluations)
{
	for (const struct gp_json *e = gp_json_first(evaluations); e; e = gp_json_next(e))
		weigh(p, gp_json_get(e, "configuration"), gp_json_get_text(e, "status"));
}

int gp_azdo_policies_read(struct gp_azdo_policies *out, struct gp_azdo *a, const char *project, int64_t number,
			  struct gp_err *err)
{
	struct gp_json *evaluations = list_evaluations(a, project, number, err);

	*out = (struct gp_azdo_policies){0};
	weigh_evaluations(out, evaluations);
	gp_json_free(evaluations);
	return evaluations ? 0 : -1;
}

static int64_t id_of(const struct gp_json *evaluation)
{
	return gp_json_get_int(gp_json_get(evaluation, "configuration"), "id", 0);
}

static const struct gp_json *evaluation_of(const struct gp_json *rule, const struct gp_json *evaluations)
{
	int64_t id = gp_json_get_int(rule, "id", -1);

	for (const struct gp_json *e = gp_json_first(evaluations); e; e = gp_json_next(e))
		if (id_of(e) == id)
			return e;
	return NULL;
}

/* Whether there is a rule for each evaluation. */
static bool covers(const struct gp_json *rules, const struct gp_json *evaluations)
{
	for (const struct gp_json *e = gp_json_first(evaluations); e; e = gp_json_next(e)) {
		const struct gp_json *r = gp_json_first(rules);

		while (r && gp_json_get_int(r, "id", -1) != id_of(e))
			r = gp_json_next(r);
		if (!r)
			return false;
	}
	return true;
}

static void weigh_all(struct gp_azdo_policies *p, const struct gp_json *rules, const struct gp_json *evaluations)
{
	gp_azdo_policies_free(p);
	for (const struct gp_json *r = gp_json_first(rules); r; r = gp_json_next(r))
		weigh(p, r, gp_json_get_text(evaluation_of(r, evaluations), "status"));
	if (rules)
		return;
	/* The server does not list them. */
	weigh_evaluations(p, evaluations);
	if (!gp_json_first(evaluations))
		p->unseen = p->unclear = true;
}

int gp_azdo_policies_weigh(struct gp_azdo_policies *out, struct gp_azdo *a, const struct gp_azdo_id *id,
			   const char *base, int64_t number, struct gp_err *err)
{
	bool known = gp_azdo_rules_known(a, base);
	struct gp_json *evaluations;
	int rc = 0;

	if (!known && gp_azdo_rules(a, id->repository, base, err))
		return -1;
	weigh_all(out, a->rules, NULL);
	if (a->rules && !out->blocking)
		return 0;
	evaluations = list_evaluations(a, id->project, number, err);
	if (!evaluations)
		return -1;
	weigh_all(out, a->rules, evaluations);
	/* The policies may have changed since they were read. */
	if (known && (out->unseen || !covers(a->rules, evaluations))) {
		rc = gp_azdo_rules(a, id->repository, base, err);
		weigh_all(out, a->rules, evaluations);
	}
	gp_json_free(evaluations);
	return rc;
}
