/*
 * base-branch.h - the base branch that promotions are merged into: the local repository, the branch's tip, and the
 * configuration in that commit. The document's members `repository` and `config`.
 */
#ifndef GP_BASE_H
#define GP_BASE_H

#include "data/json.h"
#include "forge/provider.h"
#include "git/repository.h"
#include "promotion/config.h"
#include "setter/manifests.h"
#include "sys/err.h"

struct gp_base {
	struct gp_repository repository;
	struct gp_manifests *manifests;
	char *provider; /* the NAME in gp-forge-NAME */
	char *branch;   /* "main"; NULL until the remote was asked */
	struct gp_oid tip, tree;
};

/*
 * Opens the current directory's repository and finds its provider: the one given, or the one that the remote's URL
 * names (78 if it does not). remote and provider may be NULL. env: where to look for the forge's token. base starts as
 * {0}; an open one stays as it is, so that a filter opens it with its first document.
 */
int gp_base_open(struct gp_base *base, const char *remote, const char *provider, gp_env_fn *env, struct gp_err *err);
void gp_base_free(struct gp_base *base);

/* Asks the remote for the branch (NULL: its default branch) and its tip, and makes sure that the tip is here. */
int gp_base_ask(struct gp_base *base, const char *branch, struct gp_err *err);

/* The same, and asks with the same request where other branches are. */
int gp_base_ask_with(struct gp_base *base, const char *branch, struct gp_branches *also, struct gp_err *err);

/*
 * Checks that a document is about this repository: a document may come from anywhere, and must not send a token
 * elsewhere. Takes its base branch. errors: 65.
 */
int gp_base_check_document(struct gp_base *base, const struct gp_json *document, struct gp_err *err);

/* The same, and takes its tip, fetching it if needed. */
int gp_base_from_document(struct gp_base *base, const struct gp_json *document, struct gp_err *err);

/* Sets the document's member `repository`. */
void gp_base_to_document(const struct gp_base *base, struct gp_json *document);

/* Reads the configuration from the tip. errors: 78; warn as in config.h. */
int gp_base_config(struct gp_base *base, struct gp_config *config, gp_config_warn_fn *warn, void *ctx,
		   struct gp_err *err);

/* The index of the nearest earlier environment that has a marker of the app; -1: none; -2: err. */
int gp_base_previous(struct gp_base *base, const struct gp_config *config, size_t environment,
		     const struct gp_setter *setter, struct gp_err *err);

/* The first-parent history of the tip, read as far as needed. Start with {0}. */
struct gp_chain {
	struct gp_link {
		struct gp_oid commit, tree;
	} *link; /* [0] is the tip */
	size_t count;
	bool ended; /* the last link is a root */
	struct gp_oid next;
};
/*
 * Makes sure that link[index] is there, if history goes that far. Returns 1, 0 if the chain is shorter, -1: 71. Deepens
 * a shallow clone.
 */
int gp_chain_reach(struct gp_chain *chain, struct gp_base *base, size_t index, struct gp_err *err);
void gp_chain_free(struct gp_chain *chain);

#endif
