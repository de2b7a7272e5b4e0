#include "promotion/base-branch.h"

#include <stdlib.h>
#include <string.h>

#include "forge/provider.h"
#include "git/tree.h"
#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* git uses the forge's token too. */
static int authorize(struct gp_base *base, gp_env_fn *env, struct gp_err *err)
{
	struct gp_token token;
	char *header;
	int rc;

	if (gp_provider_token(&token, base->provider, base->repository.url, env, err))
		return -1;
	rc = gp_provider_git_header(&header, base->provider, &token, env, err);
	free(token.text);
	if (rc)
		return -1;
	gp_repository_authorize(&base->repository, header,
				header ? gp_provider_https_url(base->provider, base->repository.push_url, env) : NULL,
				env);
	return 0;
}

static int open_all(struct gp_base *base, const char *remote, const char *provider, gp_env_fn *env, struct gp_err *err)
{
	if (gp_repository_open(&base->repository, remote, err))
		return -1;
	if (!provider)
		provider = gp_provider_of_url(base->repository.url, env);
	if (!provider)
		return gp_fail(err, GP_EXIT_CONFIG,
			       "cannot tell the forge of remote '%s' (%s): name it with --provider or GP_PROVIDER",
			       base->repository.remote, base->repository.clean_url);
	if (!gp_provider_name_valid(provider))
		return gp_fail(err, GP_EXIT_USAGE, "'%s' cannot be the name of a forge", provider);
	base->provider = gp_strdup(provider);
	base->manifests = gp_manifests_new(base->repository.git);
	return authorize(base, env, err);
}

int gp_base_open(struct gp_base *base, const char *remote, const char *provider, gp_env_fn *env, struct gp_err *err)
{
	if (base->manifests)
		return 0;
	int rc = open_all(base, remote, provider, env, err);

	if (rc)
		gp_base_free(base);
	return rc;
}

void gp_base_free(struct gp_base *base)
{
	gp_manifests_free(base->manifests);
	gp_repository_free(&base->repository);
	free(base->provider);
	free(base->branch);
	*base = (struct gp_base){0};
}

static int read_tip(struct gp_base *base, struct gp_err *err)
{
	struct gp_commit commit;

	if (gp_repository_need(&base->repository, base->branch, &base->tip, 1, err) ||
	    gp_repository_read(&base->repository, base->branch, NULL, &commit, &base->tip, err))
		return -1;
	base->tree = commit.tree;
	gp_commit_free(&commit);
	return 0;
}

int gp_base_ask(struct gp_base *base, const char *branch, struct gp_err *err)
{
	return gp_base_ask_with(base, branch, NULL, err);
}

int gp_base_ask_with(struct gp_base *base, const char *branch, struct gp_branches *also, struct gp_err *err)
{
	char *found;

	if (gp_repository_base(&base->repository, branch, &found, &base->tip, also, err))
		return -1;
	free(base->branch);
	base->branch = found;
	return read_tip(base, err);
}

int gp_base_check_document(struct gp_base *base, const struct gp_json *document, struct gp_err *err)
{
	const char *provider = gp_document_need_text(document, "repository.provider", err);
	const char *url = gp_document_need_text(document, "repository.url", err);
	const char *branch = gp_document_need_text(document, "repository.base", err);

	if (err->code)
		return -1;
	if (strcmp(url, base->repository.clean_url) != 0)
		return gp_fail(err, GP_EXIT_INPUT, "document is about '%s', but remote '%s' of this repository is '%s'",
			       url, base->repository.remote, base->repository.clean_url);
	if (strcmp(provider, base->provider) != 0)
		return gp_fail(err, GP_EXIT_INPUT, "document is about forge '%s', but this repository is at '%s'",
			       provider, base->provider);
	if (!gp_branch_valid(branch))
		return gp_fail(err, GP_EXIT_INPUT, "repository.base in the document is not a branch's name: '%s'",
			       branch);
	if (!base->branch || strcmp(base->branch, branch) != 0) {
		free(base->branch);
		base->branch = gp_strdup(branch);
		base->tip = (struct gp_oid){{0}};
	}
	return 0;
}

int gp_base_from_document(struct gp_base *base, const struct gp_json *document, struct gp_err *err)
{
	const char *hex = gp_document_need_text(document, "repository.tip", err);
	struct gp_oid tip;

	if (!hex || gp_base_check_document(base, document, err))
		return -1;
	if (gp_oid_parse(&tip, hex))
		return gp_fail(err, GP_EXIT_INPUT, "repository.tip in the document is not a commit id: '%s'", hex);
	if (gp_oid_equal(&base->tip, &tip))
		return 0;
	base->tip = tip;
	return read_tip(base, err);
}

void gp_base_to_document(const struct gp_base *base, struct gp_json *document)
{
	struct gp_json *repository = gp_document_member(document, "repository");
	char hex[GP_OID_HEX + 1];

	gp_json_set_text(repository, "provider", base->provider);
	gp_json_set_text(repository, "url", base->repository.clean_url);
	gp_json_set_text(repository, "base", base->branch);
	gp_json_set_text(repository, "tip", gp_oid_hex(hex, &base->tip));
}

int gp_base_config(struct gp_base *base, struct gp_config *config, gp_config_warn_fn *warn, void *ctx,
		   struct gp_err *err)
{
	struct gp_git *git = base->repository.git;
	char hex[GP_OID_HEX + 1], *text;
	struct gp_entry entry;
	size_t len;
	int found = gp_tree_find(git, &entry, &base->tree, GP_CONFIG_FILE, err), rc;

	*config = (struct gp_config){0};
	if (found < 0)
		return -1;
	if (!found || !gp_entry_is_file(&entry))
		return gp_fail(err, GP_EXIT_CONFIG, "no " GP_CONFIG_FILE " in '%s' at %.10s", base->branch,
			       gp_oid_hex(hex, &base->tip));
	text = gp_git_read_blob(git, &len, &entry.oid, err);
	if (!text)
		return gp_fail_in(err, GP_CONFIG_FILE);
	rc = gp_config_parse(config, text, len, warn, ctx, err);
	free(text);
	return rc;
}

int gp_base_previous(struct gp_base *base, const struct gp_config *config, size_t environment,
		     const struct gp_setter *setter, struct gp_err *err)
{
	struct gp_carry carry;

	for (size_t i = environment; i-- > 0;) {
		if (gp_manifests_carry(base->manifests, &carry, &base->tree, config->environments[i].name, setter, err))
			return -2;
		if (carry.markers)
			return (int)i;
	}
	return -1;
}

int gp_chain_reach(struct gp_chain *chain, struct gp_base *base, size_t index, struct gp_err *err)
{
	struct gp_commit commit;

	if (!chain->count && !chain->ended)
		chain->next = base->tip;
	while (chain->count <= index && !chain->ended) {
		if (gp_repository_read(&base->repository, base->branch, NULL, &commit, &chain->next, err))
			return -1;
		chain->link = gp_grow(chain->link, chain->count, sizeof *chain->link);
		chain->link[chain->count++] = (struct gp_link){chain->next, commit.tree};
		chain->ended = commit.parent_count == 0;
		if (!chain->ended)
			chain->next = commit.parents[0];
		gp_commit_free(&commit);
	}
	return chain->count > index;
}

void gp_chain_free(struct gp_chain *chain)
{
	free(chain->link);
	*chain = (struct gp_chain){0};
}
