/*
 * faulty-driver - stands for a forge's driver, or for git-upload-pack and git-receive-pack, in test/fire/faults: hands its
 * name, arguments and standard descriptors over to whoever listens at the Unix socket GP_FAULTY, and ends with the exit
 * status that comes back; 255 and a path mean that this program is to be run in its place.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 70;
}

/* The message is argv, NUL behind each word; with it go copies of descriptors 0 to 2 (unix(7), SCM_RIGHTS). */
static int hand_over(int to, char **argv)
{
	char text[8192], control[CMSG_SPACE(3 * sizeof(int))] = {0};
	const int fds[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	size_t len = 0;

	for (; *argv; argv++) {
		size_t n = strlen(*argv) + 1;

		if (len + n > sizeof text)
			return -1;
		memcpy(text + len, *argv, n);
		len += n;
	}
	struct iovec data = {text, len};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(header), fds, sizeof fds);
	return sendmsg(to, &message, 0) == (ssize_t)len ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *path = getenv("GP_FAULTY");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	unsigned char answer[PATH_MAX + 1] = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	(void)argc;
	if (!path || strlen(path) >= sizeof address.sun_path)
		return fail("GP_FAULTY");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) || hand_over(fd, argv))
		return fail(path);
	/* Now the other side's copies alone say when this stream ends. */
	n = read(fd, answer, sizeof answer - 1);
	if (n <= 0)
		return fail("the other side");
	if (n > 1 && answer[0] == 255) {
		argv[0] = (char *)answer + 1;
		execv(argv[0], argv);
		return fail(argv[0]);
	}
	return answer[0];
}
