#include "sys/process-kin.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/mem.h"

struct process {
	pid_t pid, parent;
	bool is_kin;
};

/* The parent is behind the name in parentheses, which may have parentheses itself, and the state. */
static pid_t read_parent(const char *pid)
{
	char text[512], *path = gp_asprintf("/proc/%s/stat", pid), *end;
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f)
		fclose(f);
	free(path);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

static struct process *read_all(size_t *count)
{
	DIR *dir = opendir("/proc");
	struct process *all = NULL;

	*count = 0;
	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10), parent = pid > 0 ? read_parent(e->d_name) : 0;

		if (parent <= 0)
			continue;
		all = gp_grow(all, *count, sizeof *all);
		all[(*count)++] = (struct process){pid, parent, false};
	}
	if (dir)
		closedir(dir);
	return all;
}

/* Whether a process's parent is one of them. */
static bool is_child(const struct process *all, size_t count, pid_t parent)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].pid == parent)
			return all[i].is_kin;
	return false;
}

void gp_kin_signal(pid_t pid, int signal)
{
	size_t count;
	struct process *all = read_all(&count);
	bool more = true;

	for (size_t i = 0; i < count; i++)
		all[i].is_kin = all[i].pid == pid;
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++)
			if (!all[i].is_kin && is_child(all, count, all[i].parent))
				more = all[i].is_kin = true;
	}
	/* The youngest at last: a parent that is gone starts no more of them. */
	kill(pid, signal);
	for (size_t i = 0; i < count; i++)
		if (all[i].is_kin && all[i].pid != pid)
			kill(all[i].pid, signal);
	free(all);
}
