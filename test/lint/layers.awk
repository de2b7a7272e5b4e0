# Who may include whom, for awk -f: the modules of common/ from low to high. A module includes only modules that stand
# before it; bin/ may include all of them. A file x-y.c is part of module x, unless x-y is a module of its own. Each
# library's header is included by one module.
BEGIN {
	n = split("exit utf8 mem err duration flux " \
		"io process split json yaml oid git tree http " \
		"oidmap image marker splice setter nearest inventory " \
		"provider repository config manifests worktree document forge forge-server promotion body " \
		"base claim evidence gate " \
		"api local github azdo " \
		"report tool driver", modules, " ")
	for (i = 1; i <= n; i++)
		rank[modules[i]] = i
	owner["cjson/"] = "common/json.c"
	owner["git2"] = "common/git.c"
	owner["yaml.h"] = "common/yaml.c"
	owner["curl/"] = "common/http.c"
}

function complain(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad = 1
}

FNR == 1 {
	module = FILENAME
	sub(/.*\//, "", module)
	sub(/\.[ch]$/, "", module)
	if (!(module in rank))
		sub(/-[^-]*$/, "", module)
	in_bin = FILENAME ~ /^bin\//
	if (!in_bin && !(module in rank))
		complain("'" module "' has no place in the order of test/lint/layers.awk")
}

/^#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	included = part[2]
	is_header = sub(/\.h$/, "", included)
	if (!(included in rank))
		sub(/-[^-]*$/, "", included)
	if (!is_header || !(included in rank))
		complain("\"" part[2] "\" is no header of a known module")
	else if (!in_bin && included != module && module in rank && rank[included] >= rank[module])
		complain("'" module "' stands below '" included "' and may not include it")
}

/^#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	for (header in owner)
		if (index(part[2], header) == 1 && "common/" module ".c" != owner[header])
			complain("<" part[2] "> is for " owner[header] " alone")
}

END { exit bad }
