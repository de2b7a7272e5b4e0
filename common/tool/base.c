/* Apart from tool.c, so that programs without a repository are not linked with what reads one. */
#include <stdlib.h>

#include "promotion/base-branch.h"
#include "tool/tool.h"

int gp_tool_base(const struct gp_tool *tool, struct gp_base *base, struct gp_err *err)
{
	return gp_base_open(base, tool->remote, tool->provider, getenv, err);
}

int gp_tool_base_of(const struct gp_tool *tool, struct gp_base *base, const struct gp_json *document,
		    struct gp_err *err)
{
	return gp_tool_base(tool, base, err) || gp_base_check_document(base, document, err) ? -1 : 0;
}

int gp_tool_finish(struct gp_tool *tool, struct gp_base *base, struct gp_forge *forge)
{
	gp_forge_end(forge);
	gp_base_free(base);
	return gp_tool_end(tool);
}
