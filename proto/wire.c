// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../common/cleanup.h"
#include "frame.h"
#include "message.h"
#include "wire.h"

enum {
	WHY_SIZE = 256,
	RECEIVE_SIZE_MAX = MESSAGE_SIZE_MAX + FRAME_HEAD_SIZE + 1024, /* With room for a seal. */
	BUFFER_SIZE = 1 << 20,					      /* Of the kernel; it gives what it allows. */
	DIRECTORY_MODE = 0750,
	SOCKET_MODE = 0660,
};

struct wire {
	int socket;
	bool listens;
	char *path; /* Of a listening ipc:// socket. */
};

/* What nanomsg wants as the header of a request that has one hop: an id with the top bit set. */
static const uint8_t request_header[4] = {0x80, 0, 0, 1};

/* A control message big enough for any address we accept. */
struct control {
	struct nn_cmsghdr head;
	size_t size;
	uint8_t bytes[64 + 16];
};

__attribute__((format(printf, 3, 4))) static int fail(int error, char *ret_why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_why, WHY_SIZE, format, args);
	va_end(args);
	return -error;
}

/* ---- urls ---- */

static const char *ipc_path(const char *url)
{
	return strncmp(url, "ipc://", 6) == 0 ? url + 6 : NULL;
}

/* nanomsg asserts less than it should: only urls of a known shape reach it. */
static int check_url(const char *url, bool insecure, char *ret_why)
{
	const char *path = ipc_path(url);
	const char *host = strncmp(url, "tcp://", 6) == 0 ? url + 6 : NULL;
	const char *colon = host ? strrchr(host, ':') : NULL;
	char *end;
	unsigned long port;

	if (path) {
		if (path[0] != '/')
			return fail(EINVAL, ret_why, "%s: the path must be absolute, as in ipc:///run/mealy/agent",
				    url);
		if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
			return fail(ENAMETOOLONG, ret_why, "%s: the path is too long for a socket", url);
		return 0;
	}
	if (!colon || colon == host || strlen(url) >= NN_SOCKADDR_MAX)
		return fail(EINVAL, ret_why, "%s: expected ipc:///path or tcp://address:port", url);
	port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end || port == 0 || port > 65535 || colon[1] == '-' || colon[1] == '+')
		return fail(EINVAL, ret_why, "%s: no port number", url);
	if (!insecure)
		return fail(EPERM, ret_why,
			    "%s: TCP without keys is neither sealed nor authenticated; only --insecure allows it", url);
	return 0;
}

/* Somebody listens at 'path'. */
static bool is_served(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path); /* check_url() knows that it fits. */
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* Makes the directory of a socket if it is missing: its mode is what guards the socket.  Looks for
 * what is in the way, because nanomsg leaks memory when it cannot bind, and removes also a file that
 * is no socket. */
static int prepare_path(const char *path, char *ret_why)
{
	_cleanup_free_ char *directory = strdup(path);
	struct stat st;

	if (!directory)
		return fail(ENOMEM, ret_why, "no memory");
	*strrchr(directory, '/') = 0;
	if (directory[0] && mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return fail(errno, ret_why, "cannot make the directory %s: %m", directory);
	if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return fail(EEXIST, ret_why, "%s exists and is no socket", path);
	if (is_served(path))
		return fail(EADDRINUSE, ret_why, "somebody listens on %s already", path);
	return 0; /* A socket left by a dead process is replaced by nanomsg. */
}

/* ---- open, close ---- */

/* All of them are known to nanomsg, so none fails. */
static void set_option(int socket, int level, int option, int value)
{
	nn_setsockopt(socket, level, option, &value, sizeof(value));
}

static int wire_new(int protocol, bool listens, struct wire **ret_wire, char *ret_why)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return fail(ENOMEM, ret_why, "no memory");
	wire->listens = listens;
	wire->socket = nn_socket(AF_SP_RAW, protocol);
	if (wire->socket < 0) {
		int error = errno;

		free(wire);
		return fail(error, ret_why, "no nanomsg socket: %s", nn_strerror(error));
	}
	set_option(wire->socket, NN_SOL_SOCKET, NN_RCVMAXSIZE, RECEIVE_SIZE_MAX);
	set_option(wire->socket, NN_SOL_SOCKET, NN_SNDBUF, BUFFER_SIZE);
	set_option(wire->socket, NN_SOL_SOCKET, NN_RCVBUF, BUFFER_SIZE);
	set_option(wire->socket, NN_TCP, NN_TCP_NODELAY, 1); /* Else each chunk waits 40 ms for an ACK. */
	*ret_wire = wire;
	return 0;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	nn_close(wire->socket);
	if (wire->path)
		unlink(wire->path);
	free(wire->path);
	free(wire);
}

static int bind_wire(struct wire *wire, const char *url, char *ret_why)
{
	const char *path = ipc_path(url);

	if (nn_bind(wire->socket, url) < 0)
		return fail(errno, ret_why, "cannot listen on %s: %s", url, nn_strerror(errno));
	if (!path)
		return 0;
	if (chmod(path, SOCKET_MODE) < 0)
		return fail(errno, ret_why, "cannot set the mode of %s: %m", path);
	wire->path = strdup(path);
	return 0;
}

int wire_listen(const char *url, bool insecure, struct wire **ret_wire, char *ret_why)
{
	struct wire *wire;
	int r;

	r = check_url(url, insecure, ret_why);
	if (r == 0 && ipc_path(url))
		r = prepare_path(ipc_path(url), ret_why);
	if (r == 0)
		r = wire_new(NN_REP, true, &wire, ret_why);
	if (r < 0)
		return r;
	r = bind_wire(wire, url, ret_why);
	if (r < 0) {
		wire_close(wire);
		return r;
	}
	*ret_wire = wire;
	return 0;
}

int wire_dial(const char *url, bool insecure, unsigned backoff_min_ms, unsigned backoff_max_ms, struct wire **ret_wire,
	      char *ret_why)
{
	struct wire *wire;
	int r;

	r = check_url(url, insecure, ret_why);
	if (r == 0)
		r = wire_new(NN_REQ, false, &wire, ret_why);
	if (r < 0)
		return r;
	set_option(wire->socket, NN_SOL_SOCKET, NN_RECONNECT_IVL, backoff_min_ms);
	set_option(wire->socket, NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, backoff_max_ms);
	if (nn_connect(wire->socket, url) < 0) {
		r = fail(errno, ret_why, "cannot dial %s: %s", url, nn_strerror(errno));
		wire_close(wire);
		return r;
	}
	*ret_wire = wire;
	return 0;
}

/* ---- frames ---- */

static int get_fd(const struct wire *wire, int option)
{
	int fd = -1;
	size_t size = sizeof(fd);

	return nn_getsockopt(wire->socket, NN_SOL_SOCKET, option, &fd, &size) < 0 ? -errno : fd;
}

int wire_receive_fd(const struct wire *wire)
{
	return get_fd(wire, NN_RCVFD);
}

int wire_send_fd(const struct wire *wire)
{
	return get_fd(wire, NN_SNDFD);
}

static void make_control(struct control *control, const void *header, size_t size)
{
	control->head.cmsg_len = NN_CMSG_SPACE(size + sizeof(size_t));
	control->head.cmsg_level = PROTO_SP;
	control->head.cmsg_type = SP_HDR;
	control->size = size;
	memcpy(control->bytes, header, size);
}

int wire_send(struct wire *wire, const struct wire_address *to, const void *head, size_t head_size, const void *body,
	      size_t body_size)
{
	struct nn_iovec part[] = {{(void *)head, head_size}, {(void *)body, body_size}};
	struct control control = {};
	struct nn_msghdr msg = {.msg_iov = part, .msg_iovlen = body_size ? 2 : 1, .msg_control = &control};

	if (wire->listens)
		make_control(&control, to->bytes, to->size);
	else
		make_control(&control, request_header, sizeof(request_header));
	msg.msg_controllen = control.head.cmsg_len;
	return nn_sendmsg(wire->socket, &msg, NN_DONTWAIT) < 0 ? -errno : 0;
}

/* False if the frame came with no address, or with one longer than we send to. */
static bool read_address(const struct control *control, struct wire_address *ret_from)
{
	if (control->head.cmsg_level != PROTO_SP || control->head.cmsg_type != SP_HDR)
		return false;
	if (control->size == 0 || control->size > sizeof(ret_from->bytes))
		return false;
	*ret_from = (struct wire_address){.size = control->size};
	memcpy(ret_from->bytes, control->bytes, control->size);
	return true;
}

int wire_receive(struct wire *wire, struct wire_address *ret_from, uint8_t **ret_bytes, size_t *ret_size)
{
	for (;;) {
		void *bytes = NULL;
		struct nn_iovec part = {&bytes, NN_MSG};
		struct control control = {};
		struct nn_msghdr msg = {&part, 1, &control, sizeof(control)};
		int size = nn_recvmsg(wire->socket, &msg, NN_DONTWAIT);

		if (size < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		if (!wire->listens || read_address(&control, ret_from)) {
			*ret_bytes = bytes;
			*ret_size = size;
			return 0;
		}
		nn_freemsg(bytes);
	}
}

void wire_release(uint8_t *bytes)
{
	if (bytes)
		nn_freemsg(bytes);
}

uint64_t wire_broken(const struct wire *wire)
{
	return nn_get_statistic(wire->socket, NN_STAT_BROKEN_CONNECTIONS);
}

bool wire_is_connected(const struct wire *wire)
{
	return nn_get_statistic(wire->socket, NN_STAT_CURRENT_CONNECTIONS) > 0;
}
