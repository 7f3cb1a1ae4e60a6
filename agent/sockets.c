/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sockets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "agent.h"
#include "dispatch.h"
#include "why.h"

/* One socket. */
struct line {
	struct sockets *sockets;
	struct endpoint *endpoint;
	const char *url;
	bool local, connected;
};

struct sockets {
	struct agent *agent;
	struct line line[CONFIG_CONTROLLERS_MAX + 1];
	size_t n;
	struct utsname host;
	struct keys *keys;	   /* NULL: nothing is sealed. */
	struct log_limit suspects; /* What is said of them. */
};

/* ---- answers ---- */

void reply_error(const struct asker *to, enum error_code code, const char *format, ...)
{
	struct peer *peer = peer_find(to->endpoint, to->peer);
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (peer)
		peer_reply_error(peer, to->request, code, "%s", text ? text : "out of memory");
}

void reply_message(const struct asker *to, const struct message *msg)
{
	struct peer *peer = peer_find(to->endpoint, to->peer);
	int r = peer ? peer_reply(peer, to->request, msg) : 0;

	if (r == -EMSGSIZE)
		reply_error(to, ERROR_INVALID, "the answer is larger than a message; ask for less");
	else if (r < 0)
		reply_error(to, ERROR_INTERNAL, "the answer cannot be sent: %s", strerror(-r));
}

void reply_ok(const struct asker *to, const char *text, uint64_t version, uint64_t count)
{
	struct peer *peer = peer_find(to->endpoint, to->peer);

	if (peer)
		peer_reply_ok(peer, to->request, text, version, count);
}

/* ---- what the endpoints report ---- */

static enum error_code on_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	struct line *line = data;

	if (line->local && hello->role == ROLE_AGENT)
		return ERROR_REFUSED;
	if (!line->local && hello->role != ROLE_CONTROLLER)
		return ERROR_REFUSED;
	if (line->local)
		return ERROR_NONE;
	line->connected = true;
	log_info("controller %s: connected (\"%s\", build %s)", line->url, hello->name, hello->build);
	notify_subscribe(line->sockets->agent->notify, line->endpoint, peer, "");
	expiry_controller(line->sockets->agent->expiry, sockets_connected(line->sockets));
	return ERROR_NONE;
}

static void on_down(void *data, struct peer *peer, const char *why)
{
	struct line *line = data;
	struct agent *agent = line->sockets->agent;

	notify_unsubscribe(agent->notify, peer_id(peer));
	changes_peer_gone(agent->changes, peer_id(peer));
	if (line->local)
		return;
	line->connected = false;
	log_warn("controller %s: lost: %s", line->url, why);
	expiry_controller(agent->expiry, sockets_connected(line->sockets));
}

static void on_request(void *data, struct peer *peer, const struct message *msg)
{
	struct line *line = data;
	struct request request = {
		.agent = line->sockets->agent,
		.from = {line->endpoint, peer_id(peer), msg->id},
		.peer = peer,
		.msg = msg,
		.local = line->local,
	};

	dispatch(&request);
}

static void on_refused(void *data, enum error_code code, const char *why)
{
	const struct line *line = data;

	log_error("controller %s: refused us: %s (%s)", line->url, why, error_code_name(code));
}

static void on_suspect(void *data, const char *why)
{
	const struct line *line = data;

	if (log_allowed(&line->sockets->suspects))
		log_warn("controller %s: %s", line->url, why);
}

static const struct endpoint_ops ops = {
	.up = on_up, .down = on_down, .request = on_request, .refused = on_refused, .suspect = on_suspect};

/* ---- opening ---- */

static struct msg_hello make_hello(const struct sockets *sockets)
{
	const struct agent *agent = sockets->agent;
	const struct plan *plan = versions_plan(agent->versions);
	unsigned up, down;

	wiring_count(agent->wiring, &up, &down);
	return (struct msg_hello){
		.role = ROLE_AGENT,
		.name = agent->config->name,
		.instance = agent->process,
		.wire_version = WIRE_VERSION,
		.build = MEALY_VERSION,
		.kernel = sockets->host.release,
		.active_version = plan->version,
		.n_ports = up + down,
		.state_digest = desired_digest(plan->desired),
	};
}

void sockets_update_hello(struct sockets *sockets)
{
	struct msg_hello hello;

	if (!sockets)
		return;
	hello = make_hello(sockets);
	for (size_t i = 0; i < sockets->n; i++)
		endpoint_set_hello(sockets->line[i].endpoint, &hello);
}

unsigned sockets_connected(const struct sockets *sockets)
{
	unsigned n = 0;

	for (size_t i = 0; i < sockets->n; i++)
		n += sockets->line[i].connected;
	return n;
}

/* The folder's mode is what guards the socket: 0750, so root and its group. */
static int make_socket_folder(const char *url, char **ret_why)
{
	_cleanup_free_ char *path = strdup(url + strlen("ipc://"));
	char *last = path ? strrchr(path, '/') : NULL;

	if (!path)
		return -ENOMEM;
	if (!last || last == path)
		return why_set(ret_why, -EINVAL, "%s: the socket needs a folder of its own", url);
	*last = '\0';
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return why_set(ret_why, -errno, "%s: %m", path);
		*slash = '/';
	}
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return why_set(ret_why, -errno, "%s: %m", path);
	if (chmod(path, 0750) < 0)
		return why_set(ret_why, -errno, "%s: %m", path);
	return 0;
}

static int open_line(struct sockets *sockets, const char *url, bool local, char **ret_why)
{
	struct line *line = &sockets->line[sockets->n];
	struct msg_hello hello = make_hello(sockets);
	char why[256] = "";
	int r;

	*line = (struct line){.sockets = sockets, .url = url, .local = local};
	if (local)
		r = endpoint_listen(sockets->agent->loop, url, false, &hello, &ops, line, &line->endpoint, why);
	else
		r = endpoint_dial_sealed(sockets->agent->loop, url, sockets->agent->config->insecure, sockets->keys,
					 &hello, &ops, line, &line->endpoint, why);
	if (r < 0)
		return why_set(ret_why, r, "%s: %s", url, why[0] ? why : strerror(-r));
	sockets->n++;
	return 0;
}

/* Keys are made when a controller is dialed over TCP for the first time. */
static int open_keys(struct sockets *sockets, char **ret_why)
{
	const struct config *config = sockets->agent->config;
	_cleanup_free_ char *folder = NULL;
	char why[256] = "", key[KEY_TEXT];
	bool tcp = false;
	int r;

	for (size_t i = 0; i < config->n_controllers; i++) {
		if (strncmp(config->controller[i], "tcp://", 6) != 0)
			continue;
		tcp = true;
		if (config->insecure)
			log_warn("controller %s: INSECURE: nothing is sealed, anybody in between can read and steer",
				 config->controller[i]);
	}
	if (!tcp || config->insecure)
		return 0;
	if (asprintf(&folder, "%s/keys", config->state) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	r = keys_open(folder, &sockets->keys, why);
	if (r < 0)
		return why_set(ret_why, r, "%s", why);
	key_render(keys_identity(sockets->keys)->public, key);
	log_info("our key is %s (a controller must trust it: mealy key trust %s agent %s)", key, key, config->name);
	return 0;
}

int sockets_open(struct agent *agent, struct sockets **ret_sockets, char **ret_why)
{
	const struct config *config = agent->config;
	struct sockets *sockets = calloc(1, sizeof(*sockets));
	int r = 0;

	if (!sockets)
		return -ENOMEM;
	sockets->agent = agent;
	uname(&sockets->host);
	if (config->socket[0]) {
		r = make_socket_folder(config->socket, ret_why);
		if (r == 0)
			r = open_line(sockets, config->socket, true, ret_why);
	}
	if (r == 0)
		r = open_keys(sockets, ret_why);
	for (size_t i = 0; r == 0 && i < config->n_controllers; i++)
		r = open_line(sockets, config->controller[i], false, ret_why);
	if (r < 0) {
		sockets_close(sockets);
		return r;
	}
	*ret_sockets = sockets;
	return 0;
}

void sockets_close(struct sockets *sockets)
{
	if (!sockets)
		return;
	for (size_t i = 0; i < sockets->n; i++)
		endpoint_close(sockets->line[i].endpoint);
	keys_close(sockets->keys);
	free(sockets);
}
