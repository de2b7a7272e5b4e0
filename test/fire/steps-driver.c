/*
 * steps-driver [-n STEP] [-s SIGNAL] FILE COMMAND...: runs COMMAND, and counts the steps of it and of all that it starts
 * which leave something behind: each file that is created, written to, renamed, linked or removed, each connection,
 * and what is sent over it. Before step STEP they are all killed, and this program ends with 137; or, with -s, COMMAND
 * itself gets that signal. FILE gets the number of steps, and what the last one was. Exit status 77: no ptrace(2) here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/ptrace.h and sys/ptrace.h do not go together everywhere: ptrace(2), PTRACE_GET_SYSCALL_INFO. */
struct syscall_info {
	unsigned char op, pad[3];
	unsigned arch;
	unsigned long long pointer, stack, number, args[6];
};

enum { MAX_PROCESSES = 4096, SYSCALL_INFO = 0x420e, SKIPPED = 77 };

static const struct {
	long number;
	const char *name;
	int fd, flags; /* which argument is a descriptor of what is written to, or has O_CREAT, from 1; 0: none */
} calls[] = {
	{SYS_write, "write", 1, 0},        {SYS_pwrite64, "pwrite", 1, 0}, {SYS_writev, "writev", 1, 0},
	{SYS_sendto, "sendto", 1, 0},      {SYS_sendmsg, "sendmsg", 1, 0}, {SYS_connect, "connect", 1, 0},
	{SYS_openat, "create", 0, 3},      {SYS_renameat, "rename", 0, 0}, {SYS_renameat2, "rename", 0, 0},
	{SYS_linkat, "link", 0, 0},        {SYS_unlinkat, "unlink", 0, 0}, {SYS_mkdirat, "mkdir", 0, 0},
	{SYS_ftruncate, "truncate", 1, 0},
#ifdef SYS_open /* not on arm64 */
	{SYS_open, "create", 0, 2},        {SYS_rename, "rename", 0, 0},   {SYS_link, "link", 0, 0},
	{SYS_unlink, "unlink", 0, 0},      {SYS_mkdir, "mkdir", 0, 0},     {SYS_rmdir, "rmdir", 0, 0},
#endif
};

enum { CALLS = sizeof calls / sizeof *calls };

/* So that only these calls stop: seccomp(2), SECCOMP_RET_TRACE. */
static int filter(void)
{
	struct sock_filter code[CALLS + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};

	for (unsigned i = 0; i < CALLS; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number,
							   (unsigned char)(CALLS - i), 0);
	code[1 + CALLS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[2 + CALLS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	struct sock_fprog program = {CALLS + 3, code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -1 : 0;
}

/* Whether a descriptor is of a file or of a connection to somewhere else, and not of a pipe, a device or nothing. */
static int lasts(pid_t pid, unsigned long long fd, char *where, size_t size)
{
	char path[64];
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, (int)fd);
	n = readlink(path, where, size - 1);
	where[n > 0 ? n : 0] = '\0';
	return !stat(path, &st) && (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));
}

static void name(pid_t pid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "r");

	if (!f || !fgets(text, (int)size, f))
		*text = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* Whether the call at which a process has stopped is a step; then what says which. */
static int is_step(pid_t pid, char *what, size_t size)
{
	struct syscall_info info;
	char where[512] = "", program[32];

	if (ptrace((enum __ptrace_request)SYSCALL_INFO, pid, sizeof info, &info) < 0)
		return 0;
	for (unsigned i = 0; i < CALLS; i++) {
		if ((unsigned long long)calls[i].number != info.number)
			continue;
		if ((calls[i].fd && !lasts(pid, info.args[calls[i].fd - 1], where, sizeof where)) ||
		    (calls[i].flags && !(info.args[calls[i].flags - 1] & O_CREAT)))
			return 0;
		name(pid, program, sizeof program);
		snprintf(what, size, "%s %s by %s", calls[i].name, where, program);
		return 1;
	}
	return 0;
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* LeakSanitizer cannot look at a process that is traced. */
	const char *options = getenv("ASAN_OPTIONS");
	char quiet[512];

	snprintf(quiet, sizeof quiet, "%s:detect_leaks=0", options ? options : "");
	setenv("ASAN_OPTIONS", quiet, 1);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) || raise(SIGSTOP) || filter())
		_exit(SKIPPED);
	execvp(*argv, argv);
	perror(*argv);
	_exit(127);
}

struct run {
	pid_t first;
	long step, wanted;
	int signal;
	pid_t pids[MAX_PROCESSES];
	int count;
	char what[640];
};

static void kill_all(const struct run *run)
{
	int status;
	pid_t pid;

	for (int i = 0; i < run->count; i++)
		kill(run->pids[i], SIGKILL);
	/* One that has only just been born stops once more. */
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR)
		if (pid > 0 && WIFSTOPPED(status))
			kill(pid, SIGKILL);
}

/* One report about a process. Returns whether it was the step at which they were all killed. */
static int take(struct run *run, pid_t pid, int status)
{
	int event = status >> 16, deliver = WSTOPSIG(status);
	char what[640];

	if (event == PTRACE_EVENT_SECCOMP && is_step(pid, what, sizeof what)) {
		memcpy(run->what, what, sizeof what);
		if (++run->step == run->wanted && run->signal) {
			kill(run->first, run->signal);
		} else if (run->step == run->wanted) {
			kill_all(run);
			return 1;
		}
	}
	/* A stop with an event, or a new process's first stop, is ours alone. */
	if (event || deliver == SIGSTOP || deliver == SIGTRAP)
		deliver = 0;
	if (deliver == 0 && event == 0 && run->count < MAX_PROCESSES)
		run->pids[run->count++] = pid;
	ptrace(PTRACE_CONT, pid, 0, deliver);
	return 0;
}

static int follow(struct run *run)
{
	int status, ended = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid <= 0)
			continue;
		if (WIFSTOPPED(status)) {
			if (take(run, pid, status))
				return 128 + SIGKILL;
		} else if (pid == run->first) {
			ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	return ended;
}

int main(int argc, char **argv)
{
	struct run run = {0};
	int c, status;

	while ((c = getopt(argc, argv, "+n:s:")) != -1)
		if (c == 'n')
			run.wanted = strtol(optarg, NULL, 10);
		else if (c == 's')
			run.signal = (int)strtol(optarg, NULL, 10);
		else
			return 64;
	if (argc - optind < 2)
		return 64;
	run.first = start(argv + optind + 1);
	run.pids[run.count++] = run.first;
	if (waitpid(run.first, &status, 0) != run.first || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, run.first, 0,
		   PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACESECCOMP))
		return SKIPPED;
	ptrace(PTRACE_CONT, run.first, 0, 0);
	status = follow(&run);
	FILE *f = fopen(argv[optind], "w");

	if (!f || fprintf(f, "%ld %s\n", run.step, run.what) < 0 || fclose(f))
		return 70;
	return status;
}
