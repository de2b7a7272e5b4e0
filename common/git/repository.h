/*
 * repository.h - the local clone and its remote: what is asked of the git
 * program (remote URLs, tips, fetch, push, identity), because it alone has the
 * leases, proxies, credential helpers and safe.directory that people have set
 * up. Objects are read through objects.h. Works on the current directory's
 * repository; leaves its refs, HEAD, index, work tree and FETCH_HEAD alone.
 */
#ifndef GP_REPOSITORY_H
#define GP_REPOSITORY_H

#include <stdbool.h>

#include "git/objects.h"
#include "sys/err.h"
#include "sys/process.h"

struct gp_repository {
	char *git_dir;   /* absolute */
	char *remote;    /* its name, such as "origin" */
	char *url;       /* as git uses it; may hold credentials: never printed */
	char *push_url;  /* likewise */
	char *clean_url; /* url without credentials */
	char *up;        /* from the current directory to the top of the work tree: "../" */
	struct gp_git *git;
	char **env;                  /* the environment of a git that talks to the remote; NULL: as for any other */
	char *config_count;          /* GIT_CONFIG_COUNT as it was */
	char *timeout;               /* seconds after which git gives up a silent server; NULL: as configured */
	long long budget_ms;         /* how long what may pass is repeated */
	long long retry_after_ms;    /* what the server's last refusal asked for; 0: nothing */
	unsigned chance;             /* for pauses */
	bool traces;                 /* git traces its requests, for the line before */
	char *ca_file;               /* certificates that git trusts; NULL: as configured */
	unsigned deepened;           /* by how much history was fetched last, where more was needed */
	char *header, *https_url;    /* the token's header; the repository over HTTPS, if the remote uses SSH */
	struct gp_ident identity[2]; /* author and committer, once they are known */
	struct gp_running asked[3];  /* git, asked for them, and whether commits are signed */
	enum { GP_SIGNING_UNKNOWN, GP_SIGNING_OFF, GP_SIGNING_ON } signing; /* commit.gpgsign */
};

/*
 * Opens the repository that the current directory is in. remote: a name, or
 * NULL for "origin". errors: 71 in git's own words (with the way out for
 * safe.directory), 78 for a remote that is not configured or a repository of another object format. Free it also after
 * an error.
 */
int gp_repository_open(struct gp_repository *r, const char *remote, struct gp_err *err);
void gp_repository_free(struct gp_repository *r);

/*
 * Sets up how git talks to the remote, once: GP_TIMEOUT holds for it, and header, or NULL, is the HTTP header that
 * carries a token (it goes only to the remote's own URLs, over HTTPS or to this machine, and takes the place of one that a CI checkout has left); https_url, or NULL, is
 * where to go with it when the remote is an SSH URL that does not let us in. env: of this process, for what git is
 * configured with by its environment already; a SSL_CERT_FILE holds for git as it does for libcurl. Takes both strings
 * over.
 */
void gp_repository_authorize(struct gp_repository *r, char *header, char *https_url, char *(*env)(const char *name));

/*
 * Whether this is a valid branch name (git-check-ref-format(1)): after refs/heads/ on a command line it is one branch,
 * and neither an option, a pattern nor a refspec.
 */
bool gp_branch_valid(const char *name);

/* Branches by name, and their commits: zero for a branch that does not exist. */
struct gp_branches {
	const char **name; /* the names are borrowed */
	struct gp_oid *tip;
	size_t count;
};
void gp_branches_add(struct gp_branches *branches, const char *name);
void gp_branches_free(struct gp_branches *branches);

/*
 * Asks the remote for the base branch and its current tip. base: its name, or
 * NULL for the remote's default branch. *branch is yours. also: the names of other branches, whose tips are asked for
 * with the same request, or NULL. errors: 64 for a base that is no name, 71 if the
 * remote cannot be read, 69 if it has no such branch or no branch at all.
 */
int gp_repository_base(struct gp_repository *r, const char *base, char **branch, struct gp_oid *tip,
		       struct gp_branches *also, struct gp_err *err);

/* Asks where branches of the remote are now. errors: 71. */
int gp_repository_branches(struct gp_repository *r, struct gp_branches *branches, struct gp_err *err);

/* The same for one. */
int gp_repository_branch(struct gp_repository *r, const char *branch, struct gp_oid *oid, struct gp_err *err);

/*
 * Makes sure that n commits are here, with their trees, fetching them (and
 * base) where one is missing. errors: 71; 69 if the remote does not have it.
 */
int gp_repository_need(struct gp_repository *r, const char *base, const struct gp_oid *commits, size_t n,
		       struct gp_err *err);

/*
 * Reads a commit, fetching more history of base and of head (may be NULL)
 * where a shallow clone ends before it, twice as much each time, from call to call. Returns 0
 * with *out filled; -1: 71 if it is not available.
 */
int gp_repository_read(struct gp_repository *r, const char *base, const struct gp_oid *head, struct gp_commit *out,
		       const struct gp_oid *oid, struct gp_err *err);

/* A commit for a branch of the remote, which is still at old (zero: does not exist). */
struct gp_push {
	const char *branch; /* borrowed */
	struct gp_oid commit, old;
	struct gp_err err; /* 75 if the branch moved; otherwise 71 or 69 in the server's words; code 0: pushed */
	bool moved;        /* somebody else has moved the branch */
};
/* "branch '…' changed during the push (another run?): run again"; 75. Returns -1. */
int gp_branch_moved(const char *branch, struct gp_err *err);
/* Pushes them all with one git; one that the server refuses does not cost the others. Each has its own error. */
void gp_repository_push(struct gp_repository *r, struct gp_push *pushes, size_t n);

/* Starts asking git for the identity, and whether commits are signed, without waiting. */
void gp_repository_ask_identity(struct gp_repository *r);

/*
 * Writes a commit of a tree with one parent, by author and committer as below. Where commit.gpgsign is true git writes
 * it, signed as git signs; a signature that fails is an error, never a commit without one. The tree is in the object
 * database. errors: 71.
 */
int gp_repository_commit(struct gp_repository *r, struct gp_oid *out, const struct gp_oid *tree,
			 const struct gp_oid *parent, const char *message, struct gp_err *err);

/*
 * The author and committer that git would use here; where none is configured,
 * gp's own: "gp <gp@localhost>". The time is that of the first call. Borrowed. errors: 71.
 */
int gp_repository_identity(struct gp_repository *r, const struct gp_ident **author, const struct gp_ident **committer,
			   struct gp_err *err);

/* The branch that is checked out; NULL if HEAD is detached. Yours. */
char *gp_repository_checked_out(struct gp_err *err);

/* The directory of the work tree; NULL with err (71) in a bare repository. Yours. */
char *gp_repository_work_tree(struct gp_err *err);

/* The full id of a revision such as HEAD or main~2. A full id is taken as it is: it may not be here yet. errors: 64. */
int gp_repository_resolve(struct gp_oid *oid, const char *revision, struct gp_err *err);

#endif
