/* Lists of many pages: what keeps one from having no end. */
#include <stdlib.h>
#include <string.h>

#include "forge/api.h"
#include "sys/mem.h"

/* At a hundred a page, a hundred thousand. */
enum { MAX_PAGES = 1000 };

int gp_api_turn(const struct gp_api *api, struct gp_api_pages *pages, const char *next, struct gp_err *err)
{
	if (pages->count == MAX_PAGES)
		return gp_api_nonsense(api, "a list of more than 1000 pages", err);
	for (size_t i = 0; i < pages->count; i++)
		if (!strcmp(pages->seen[i], next))
			return gp_api_nonsense(api, "a list that begins again", err);
	pages->seen = gp_grow(pages->seen, pages->count, sizeof *pages->seen);
	pages->seen[pages->count++] = gp_strdup(next);
	return 0;
}

void gp_api_pages_free(struct gp_api_pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		free(pages->seen[i]);
	free(pages->seen);
	*pages = (struct gp_api_pages){0};
}
