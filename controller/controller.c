/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "bundles.h"
#include "config.h"
#include "folder.h"
#include "journal.h"
#include "known.h"
#include "relay.h"
#include "users.h"
#include "work.h"

static enum error_code agent_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	struct controller *c = data;
	struct known *k;

	if (hello->role != ROLE_AGENT) {
		log_warn("refused \"%s\" at the agents' address: it is no agent", hello->name);
		return ERROR_REFUSED;
	}
	if (!known_name_is_valid(hello->name)) {
		log_warn("refused a switch named \"%s\": a name is up to 63 of A-Z a-z 0-9 . _ -", hello->name);
		return ERROR_INVALID;
	}
	if (peer_who(peer) && (peer_right(peer) != RIGHT_AGENT || strcmp(peer_who(peer)->name, hello->name) != 0)) {
		log_warn("refused switch \"%s\": its key is for %s \"%s\"", hello->name,
			 key_right_name(peer_right(peer)), peer_who(peer)->name);
		return ERROR_REFUSED;
	}
	k = known_find(c, hello->name);
	if (!k)
		k = known_add(c, hello->name);
	if (!k)
		return ERROR_NO_MEMORY;
	peer_set_data(peer, k);
	known_connect(k, peer, hello);
	return ERROR_NONE;
}

static void agent_down(void *data, struct peer *peer, const char *why)
{
	struct known *k = peer_data(peer);

	if (k && k->peer == peer_id(peer))
		known_disconnect(k, why);
}

static void agent_request(void *data, struct peer *peer, const struct message *request)
{
	struct known *k = peer_data(peer);

	if (!k || k->peer != peer_id(peer)) {
		peer_reply_error(peer, request->id, ERROR_REFUSED, "another agent took this switch's name");
	} else if (request->kind == MSG_EVENTS) {
		peer_reply_ok(peer, request->id, "", 0, 0);
		relay_events(k, &request->events);
	} else {
		peer_reply_error(peer, request->id, ERROR_UNKNOWN, "a controller does not answer %s of an agent",
				 message_kind_name(request->kind));
	}
}

static enum error_code user_up(void *data, struct peer *peer, const struct msg_hello *hello)
{
	if (hello->role != ROLE_USER) {
		log_warn("refused \"%s\" at the users' address: it is no user (agents have an address of their own)",
			 hello->name);
		return ERROR_REFUSED;
	}
	if (peer_right(peer) < RIGHT_READ) {
		log_warn("refused \"%s\" at the users' address: its key is for %s", hello->name,
			 key_right_name(peer_right(peer)));
		return ERROR_REFUSED;
	}
	log_debug("user %s: connected", hello->name);
	return ERROR_NONE;
}

static void user_down(void *data, struct peer *peer, const char *why)
{
	log_debug("user %s: gone: %s", peer_hello(peer)->name, why);
	relay_user_gone(data, peer_id(peer));
	journal_user_gone(data, peer_id(peer));
}

static void user_request(void *data, struct peer *peer, const struct message *request)
{
	users_request(data, peer, request);
}

static void user_answered(void *data, struct peer *peer, uint64_t id, const struct message *reply)
{
	journal_answered(data, peer, id, reply);
}

static void on_suspect(void *data, const char *why)
{
	struct controller *c = data;

	if (log_allowed(&c->suspects))
		log_warn("%s", why);
}

static const struct endpoint_ops agent_ops = {
	.up = agent_up, .down = agent_down, .request = agent_request, .suspect = on_suspect};
static const struct endpoint_ops user_ops = {
	.up = user_up, .down = user_down, .request = user_request, .answered = user_answered, .suspect = on_suspect};

static int add_known(void *data, const struct known_switch *row)
{
	struct controller *c = data;
	struct known *k = known_add(c, row->name);
	char *build = strdup(row->build), *kernel = strdup(row->kernel);

	if (!k || !build || !kernel) {
		free(build);
		free(kernel);
		return -ENOMEM;
	}
	free(k->build);
	free(k->kernel);
	k->build = build;
	k->kernel = kernel;
	k->since_ms = row->seen_ms;
	return 0;
}

/* Makes the folder of an ipc:// socket. */
static int make_folder(const char *url, char *ret_why)
{
	_cleanup_free_ char *path = NULL;
	char *last;
	int r;

	if (strncmp(url, "ipc://", 6) != 0)
		return 0;
	path = strdup(url + 6);
	if (!path)
		return -ENOMEM;
	last = strrchr(path, '/');
	if (!last || last == path)
		return 0;
	*last = '\0';
	r = folder_make(path);
	if (r < 0)
		snprintf(ret_why, 256, "cannot make the folder %.150s: %s", path, strerror(-r));
	return r;
}

static int listen_on(struct controller *c, const char *url, bool insecure, const struct endpoint_ops *ops,
		     struct endpoint **ret_endpoint, char *ret_why)
{
	struct msg_hello hello = {.role = ROLE_CONTROLLER,
				  .name = "controller",
				  .wire_version = WIRE_VERSION,
				  .build = MEALY_VERSION,
				  .kernel = ""};
	char why[256] = "";
	int r;

	if (getrandom(&hello.instance, sizeof(hello.instance), 0) != sizeof(hello.instance))
		return -EIO;
	r = make_folder(url, ret_why);
	if (r < 0)
		return r;
	r = endpoint_listen_sealed(c->loop, url, insecure, c->keys, &hello, ops, c, ret_endpoint, why);
	if (r < 0)
		snprintf(ret_why, 256, "cannot listen on %.80s: %.150s", url, why[0] ? why : strerror(-r));
	return r;
}

/* Keys are made when the first address is TCP's. */
static int open_keys(struct controller *c, const struct config *config, char *ret_why)
{
	const char *url[] = {config->agents, config->users};
	_cleanup_free_ char *folder = NULL;
	char key[KEY_TEXT];
	bool tcp = false;
	int r;

	for (size_t i = 0; i < 2; i++) {
		if (strncmp(url[i], "tcp://", 6) != 0)
			continue;
		tcp = true;
		if (config->insecure)
			log_warn("%s: INSECURE: nothing is sealed, anybody who reaches it can read and steer", url[i]);
	}
	if (!tcp || config->insecure)
		return 0;
	if (asprintf(&folder, "%s/keys", config->state) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	r = keys_open(folder, &c->keys, ret_why);
	if (r < 0)
		return r;
	key_render(keys_identity(c->keys)->public, key);
	log_info("our key is %s; whom we trust is in %s", key, folder);
	return 0;
}

int controller_new(struct ev_loop *loop, const struct config *config, struct controller **ret_controller, char *ret_why)
{
	struct controller *c = calloc(1, sizeof(*c));
	int r;

	snprintf(ret_why, 256, "out of memory");
	if (!c)
		return -ENOMEM;
	c->loop = loop;
	r = store_open(config->state, &c->store, ret_why);
	if (r == 0)
		r = store_each_switch(c->store, add_known, c);
	if (r == 0)
		r = open_keys(c, config, ret_why);
	if (r == 0)
		r = listen_on(c, config->users, config->insecure, &user_ops, &c->users, ret_why);
	if (r == 0)
		r = listen_on(c, config->agents, config->insecure, &agent_ops, &c->agents, ret_why);
	if (r < 0) {
		controller_free(c);
		return r;
	}
	*ret_controller = c;
	return 0;
}

void controller_free(struct controller *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_known; i++)
		work_drop(c->known[i]);
	endpoint_close(c->agents);
	endpoint_close(c->users);
	relay_free_all(c);
	for (size_t i = 0; i < c->n_known; i++)
		known_free(c->known[i]);
	free(c->known);
	bundles_free(c);
	journal_free(c);
	for (size_t i = 0; i < c->n_forgotten; i++)
		known_free(c->forgotten[i]);
	free(c->forgotten);
	keys_close(c->keys);
	store_close(c->store);
	free(c);
}
