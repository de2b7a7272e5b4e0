/*
 * azdo.h - Azure DevOps' REST API as gp-forge-azdo uses it: where it is, what
 * its refusals mean, and the operations of gp-forge(7). Shared by the files of
 * this room. What comes from the forge is checked before it is used.
 * https://learn.microsoft.com/rest/api/azure/devops/git
 */
#ifndef GP_AZDO_H
#define GP_AZDO_H

#include <stdbool.h>
#include <stdint.h>

#include "data/json.h"
#include "forge/api.h"
#include "forge/provider.h"
#include "forge/server.h"
#include "sys/err.h"

/* address.c: where a repository and its API are. Strings are its own (gp_azdo_address_free). */
struct gp_azdo_address {
	char *host;       /* of the remote */
	char *base;       /* the collection's address: "https://dev.azure.com/ORG", without '/' at the end */
	char *project;    /* "/PROJECT/_apis", escaped: below the base */
	char *repository; /* "/PROJECT/_apis/git/repositories/NAME", likewise */
	char *web;        /* where people find it: "https://dev.azure.com/ORG/PROJECT/_git/NAME" */
	char *name;       /* for messages: "PROJECT/NAME", as people write it */
};
/* errors: 65 for a URL that names no repository, 78 for an API address that cannot be. */
int gp_azdo_address_read(struct gp_azdo_address *out, const char *url, gp_env_fn *env, struct gp_err *err);
void gp_azdo_address_free(struct gp_azdo_address *address);

/* The kinds of resources: where each is, and in which API version it is new. */
enum gp_azdo_resource {
	GP_AZDO_REPOSITORY,    /* below the repository */
	GP_AZDO_PULL_STATUSES, /* likewise */
	GP_AZDO_LABELS,        /* likewise */
	GP_AZDO_POLICIES,      /* below the project */
	GP_AZDO_EVALUATIONS,   /* likewise */
	GP_AZDO_CONNECTION,    /* below the collection */
	GP_AZDO_RESOURCES      /* how many there are */
};

/* A repository and its API. */
struct gp_azdo {
	struct gp_api api; /* first: the driver passes a repository on as this */
	struct gp_azdo_address address;
	char version[16];                /* the API version that this server supports */
	bool preview[GP_AZDO_RESOURCES]; /* resources that this version has only as a preview */
	char *me;                        /* the id of the token's user, once known */
	bool batches;                    /* statuses of many commits were seen to come in one answer, */
	bool no_batches;                 /* or to be left out of it */
	char *looked_for;                /* "BRANCH\nBASE" of the last find-pr by branch, */
	int64_t looked_up;               /* and the open pull request that it found; 0: none */
	char *ruled;                     /* the branch whose policies were listed last, */
	struct gp_json *rules;           /* and these; NULL: the server does not list them */
};

/*
 * Asks, in the version of the API that the server knows. path: what comes
 * behind the resource's place, without '/' before it, with a query or without.
 * Otherwise as gp_api_send.
 */
int gp_azdo_send(struct gp_azdo *a, const char *method, enum gp_azdo_resource resource, const char *path,
		 const struct gp_json *body, enum gp_api_repeat repeat, struct gp_api_answer *answer,
		 struct gp_err *err);
/* The same for GET, and the object it gets, borrowed until the next GET of it, or NULL if it is not there (404). */
int gp_azdo_get(struct gp_azdo *a, enum gp_azdo_resource resource, const char *path, const struct gp_json **out,
		struct gp_err *err);

/* How a list is paged. */
enum gp_azdo_paging {
	GP_AZDO_WHOLE,
	GP_AZDO_DOLLAR, /* by $top and $skip */
	GP_AZDO_PULLS,  /* likewise, pull requests alone: none is left out because others were closed meanwhile */
	GP_AZDO_PLAIN,  /* by top and skip, a thousand at a time */
	GP_AZDO_TOKEN   /* by $top, and continuationToken from a header */
};
/*
 * All pages of a list: take is called for each element of `value`, and returns 0, or -1 with err. missing (may be NULL):
 * that there is no such list is no error. GP_AZDO_PULLS: an element may come twice; NULL in the place of one says that
 * all that came so far is to be forgotten, because the list begins again.
 */
typedef int gp_azdo_take_fn(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err);
int gp_azdo_list(struct gp_azdo *a, enum gp_azdo_resource resource, const char *path, enum gp_azdo_paging paging,
		 bool *missing, gp_azdo_take_fn *take, void *ctx, struct gp_err *err);

/* Who the token's user is, as any answer may have said already; borrowed. NULL with err. */
const char *gp_azdo_me(struct gp_azdo *a, struct gp_err *err);
/* The same, asked for, whatever other answers have said. */
const char *gp_azdo_ask_me(struct gp_azdo *a, struct gp_err *err);

/* error.c: for struct gp_api_forge. */
long long gp_azdo_limit_ms(const struct gp_api_answer *answer, int attempt);
char *gp_azdo_words(const struct gp_json *json);
bool gp_azdo_is_sign_in(const struct gp_http_reply *raw);
/* Whether an error is this one: by its typeKey, or by the code at the start of its message. */
bool gp_azdo_is(const struct gp_api_answer *answer, const char *key_or_code);
/* Whether the repository or its project does not exist, or not for this token. */
bool gp_azdo_is_lost(const struct gp_api_answer *answer);
/* Turns a 4xx into an error: 77 naming the permission that is missing, or 69. Returns -1. */
int gp_azdo_refuse(const struct gp_azdo *a, const struct gp_api_answer *answer, struct gp_err *err);

/*
 * pull.c: a pull request as gp-forge(7) has it; its id holds what saves
 * requests later. Yours; NULL with err (76).
 */
struct gp_json *gp_azdo_pull(const struct gp_azdo *a, const struct gp_json *node, struct gp_err *err);
/* The parts of an id; NULL members if it lacks them. Strings are its own. */
struct gp_azdo_id {
	char *project, *repository, *head;
};
void gp_azdo_id_read(struct gp_azdo_id *out, const char *id);
void gp_azdo_id_free(struct gp_azdo_id *id);
/* The pull request of a number, whole; NULL if there is none. Yours. */
int gp_azdo_ask_number(struct gp_azdo *a, struct gp_json **pull, int64_t number, struct gp_err *err);
/* The same; a missing one is an error (69). *node (may be NULL) is the forge's answer, borrowed. */
struct gp_json *gp_azdo_look_up(struct gp_azdo *a, int64_t number, const struct gp_json **node, struct gp_err *err);
/* The same; it must be open and have this head: 69, 75. Waits for a head that the forge does not show yet. */
struct gp_json *gp_azdo_look_up_bound(struct gp_azdo *a, int64_t number, const char *head, const struct gp_json **node,
				      struct gp_err *err);
/* Changes a pull request; *answer is the result, yours. errors: as gp_api_send. */
int gp_azdo_change(struct gp_azdo *a, int64_t number, const struct gp_json *body, struct gp_api_answer *answer,
		   struct gp_err *err);
/* The commit that a branch is at; NULL with or without err: there is no such branch. Yours. */
char *gp_azdo_tip(struct gp_azdo *a, const char *branch, struct gp_err *err);

/*
 * more.c: adds the labels and reviewers that are missing; created: it is new, and has none. What Azure does not do is a
 * warning (gp_warn). errors: as gp_api_send.
 */
int gp_azdo_add_more(struct gp_azdo *a, int64_t number, const struct gp_wanted *w, bool created,
		     struct gp_json **warnings, struct gp_err *err);

/* query.c: the open ones of a branch of this repository into base. An array, yours. */
struct gp_json *gp_azdo_find_branch(void *repository, const char *branch, const char *base, struct gp_err *err);

/* policy.c: what a policy, as configured or as an evaluation shows it, demands of pull requests. */
enum gp_azdo_rule {
	GP_AZDO_RULE_OFF,      /* nothing: it is off, or about pushes */
	GP_AZDO_RULE_OPTIONAL, /* nothing that would block */
	GP_AZDO_RULE_FOR_SOME, /* something of some pull requests, known only after evaluation; from here on they block */
	GP_AZDO_RULE_WAITS,    /* something that has to be done first */
	GP_AZDO_RULE_MEETABLE /* something that may be so from the start */
};
enum gp_azdo_rule gp_azdo_rule_of(const struct gp_json *rule);
bool gp_azdo_rule_blocks(const struct gp_json *rule);
/* Its name for people: a context or a title. Yours. */
char *gp_azdo_rule_name(const struct gp_json *rule);
/* Lists those of a branch into a->rules, for good; whether they are there already. */
int gp_azdo_rules(struct gp_azdo *a, const char *repository, const char *base, struct gp_err *err);
bool gp_azdo_rules_known(const struct gp_azdo *a, const char *base);

/* evaluation.c: how the policies that block stand for a pull request. Begins with {0}. */
struct gp_azdo_policies {
	size_t blocking;          /* how many there are */
	char *unmet;              /* what is not met, as far as is known: "'gp/gate' is pending, …"; NULL: nothing */
	bool waits;               /* one was evaluated and is not met */
	bool unseen;              /* one is not evaluated yet; of these */
	bool will_wait;           /* one cannot be met from the start, */
	bool unclear;             /* one may be met as soon as it is evaluated */
	struct gp_json *optional; /* the ids of those that do not block; NULL: none */
};
void gp_azdo_policies_free(struct gp_azdo_policies *policies);
/* By its evaluations alone. Yours (gp_azdo_policies_free), unless it fails. */
int gp_azdo_policies_read(struct gp_azdo_policies *out, struct gp_azdo *a, const char *project, int64_t number,
			  struct gp_err *err);
/*
 * By the policies of its base and its evaluations; out is filled again. The former are not asked for again where they are
 * known, unless the evaluations are of others; the latter not where nothing blocks.
 */
int gp_azdo_policies_weigh(struct gp_azdo_policies *out, struct gp_azdo *a, const struct gp_azdo_id *id,
			   const char *base, int64_t number, struct gp_err *err);

/* switch.c: completion options; never bypasses policies. Yours. */
struct gp_json *gp_azdo_completion(const char *method);
/* Switches auto-complete on or off, as m says. */
struct gp_azdo_switch {
	const struct gp_merge *m;
	const char *who;                /* switches it on, by id */
	const struct gp_json *optional; /* the policies that it does not wait for; NULL: none */
	bool ours;                      /* if it is completed, it is because of us: it was on already */
};
/* Returns the pull request, which may have been completed meanwhile. errors: 69, 75, 77, and as gp_api_send. */
struct gp_json *gp_azdo_switch(struct gp_azdo *a, const struct gp_azdo_switch *change, struct gp_err *err);

/* iteration.c: the pushes to a pull request that brought a commit. Begins with {.commit = …}, borrowed. */
struct gp_azdo_iterations {
	const char *commit;
	int64_t of_commit; /* the newest one with it as the head; 0: there is none */
	int64_t last;      /* the newest one of all, */
	char *head;        /* and its head */
};
/* Reads them again; gp_azdo_iterations_free, also after an error. errors: 69 if there is no such pull request. */
int gp_azdo_iterations_read(struct gp_azdo_iterations *i, struct gp_azdo *a, int64_t number, struct gp_err *err);
void gp_azdo_iterations_free(struct gp_azdo_iterations *i);

/* status.c: a status as gp-forge(7) has it. Yours; NULL if it is none. */
struct gp_json *gp_azdo_status(const struct gp_azdo *a, const struct gp_json *node);

/* The operations on a struct gp_azdo, as gp-forge(7) has them. */
gp_forge_op_fn gp_azdo_get_repository, gp_azdo_find_pr, gp_azdo_open_pr, gp_azdo_set_auto_merge, gp_azdo_merge_pr,
	gp_azdo_list_statuses, gp_azdo_set_status;

#endif
