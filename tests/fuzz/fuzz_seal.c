// SPDX-License-Identifier: GPL-2.0-or-later
/* fuzz_seal - a server and a client over a wire that somebody holds in his hands: any bytes to either, frames passed
 * on, changed, dropped or repeated.  What comes out as a frame was said by the other side, in this order. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "proto/seal.h"

enum { QUEUE = 32, FRAME_MAX_SIZE = 600, OPS = 200 };

struct held {
	uint8_t *bytes;
	size_t size;
};

struct wire {
	struct held in[QUEUE]; /* On its way to this side. */
	size_t n;
	struct wire *other;
	uint8_t said; /* Of the last frame that this side sent. */
	uint8_t heard;
};

static void put(struct wire *to, const void *bytes, size_t size)
{
	struct held *held = &to->in[to->n];

	if (to->n == QUEUE)
		return;
	held->bytes = malloc(size ?: 1);
	CHECK(held->bytes);
	memcpy(held->bytes, bytes, size);
	held->size = size;
	to->n++;
}

int wire_send(struct wire *wire, const struct wire_address *to, const void *head, size_t head_size, const void *body,
	      size_t body_size)
{
	put(wire->other, head, head_size);
	return 0;
}

/* One at a time: a frame is there only when the input lets it through. */
static struct held through;

int wire_receive(struct wire *wire, struct wire_address *ret_from, uint8_t **ret_bytes, size_t *ret_size)
{
	if (!through.bytes)
		return -EAGAIN;
	*ret_from = (struct wire_address){4, {7, 7, 7, 7}};
	*ret_bytes = through.bytes;
	*ret_size = through.size;
	through.bytes = NULL;
	return 0;
}

void wire_release(uint8_t *bytes)
{
	free(bytes);
}

static struct keys *client_keys, *server_keys;

static struct keys *open_keys(const char *where, const char *name)
{
	char path[128], why[256];
	struct keys *keys;

	snprintf(path, sizeof(path), "%s/%s", where, name);
	CHECK(keys_open(path, &keys, why) == 0);
	return keys;
}

static char folder[] = "/tmp/mealy-fuzz-seal-XXXXXX";

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		fprintf(stderr, "%s stays\n", folder);
}

static void make_keys(void)
{
	struct trusted who = {.right = RIGHT_READ, .name = "fuzz"};

	if (client_keys)
		return;
	CHECK(mkdtemp(folder));
	atexit(remove_folder);
	client_keys = open_keys(folder, "client");
	server_keys = open_keys(folder, "server");
	memcpy(who.key, keys_identity(client_keys)->public, KEY_SIZE);
	CHECK(keys_trust(server_keys, &who) == 0);
}

/* Lets one message through to 'seal' and takes what comes of it. */
static void deliver(struct seal *seal, struct wire *wire, struct held held)
{
	struct wire_address from;
	char why[SEAL_WHY];
	uint8_t *bytes;
	size_t size;
	int r;

	through = held;
	r = seal_receive(seal, 1000, &from, &bytes, &size, why);
	if (r != SEAL_FRAME)
		return;
	CHECK(size == 1 && bytes[0] > wire->heard && bytes[0] <= wire->other->said);
	wire->heard = bytes[0];
	free(bytes);
}

static struct held take(struct wire *wire, size_t i)
{
	struct held held = wire->in[i];

	memmove(&wire->in[i], &wire->in[i + 1], (--wire->n - i) * sizeof(held));
	return held;
}

static void say(struct seal *seal, struct wire *wire)
{
	uint8_t next = wire->said + 1;

	if (wire->said < 255 && seal_send(seal, &(struct wire_address){4, {7, 7, 7, 7}}, 1000, &next, 1, NULL, 0) == 0)
		wire->said = next;
}

static struct held made_up(struct bytes *in)
{
	struct held held = {.size = (bytes_u8(in) << 8 | bytes_u8(in)) % FRAME_MAX_SIZE};

	held.bytes = malloc(held.size ?: 1);
	CHECK(held.bytes);
	for (size_t i = 0; i < held.size; i++)
		held.bytes[i] = bytes_u8(in);
	return held;
}

static void pass(struct seal *seal, struct wire *wire, struct bytes *in, bool change, bool keep)
{
	struct held held;
	size_t at;

	if (!wire->n)
		return;
	held = take(wire, bytes_u8(in) % wire->n);
	if (keep)
		put(wire, held.bytes, held.size);
	at = change && held.size ? (bytes_u8(in) << 8 | bytes_u8(in)) % held.size : 0;
	if (change && held.size)
		held.bytes[at] ^= bytes_u8(in);
	deliver(seal, wire, held);
}

static void step(struct bytes *in, struct seal *client, struct wire *client_wire, struct seal *server,
		 struct wire *server_wire)
{
	uint8_t op = bytes_u8(in);
	struct seal *seal = op & 1 ? client : server;
	struct wire *wire = op & 1 ? client_wire : server_wire;

	switch (op >> 1 & 7) {
	case 0: seal_connect(client); break;
	case 1: pass(seal, wire, in, false, false); break;
	case 2: pass(seal, wire, in, true, false); break;
	case 3: pass(seal, wire, in, false, true); break;
	case 4: say(seal, wire); break;
	case 5: deliver(seal, wire, made_up(in)); break;
	case 6: pass(seal, wire, in, true, true); break;
	case 7: pass(op & 1 ? server : client, op & 1 ? server_wire : client_wire, in, false, false); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire client_wire = {}, server_wire = {.other = &client_wire};
	const struct seal_limits limits = {.rekey_bytes = 3, .rekey_ms = 1000000, .handshakes_per_s = 2};
	struct bytes in = {data, size};
	struct seal *client, *server;

	make_keys();
	client_wire.other = &server_wire;
	CHECK(seal_new(&client_wire, false, "tcp://fuzz:1", client_keys, &client) == 0);
	CHECK(seal_new(&server_wire, true, "tcp://fuzz:2", server_keys, &server) == 0);
	seal_set_limits(client, &limits);
	seal_set_limits(server, &limits);
	for (unsigned i = 0; i < OPS && in.left; i++)
		step(&in, client, &client_wire, server, &server_wire);
	seal_free(client);
	seal_free(server);
	while (client_wire.n)
		free(take(&client_wire, 0).bytes);
	while (server_wire.n)
		free(take(&server_wire, 0).bytes);
	return 0;
}

void fuzz_seeds(void)
{
	/* A handshake, then frames both ways, one of them twice. */
	static const uint8_t good[] = {0, 2, 0, 3, 0, 2, 0, 9, 2, 0, 8, 3, 0, 9, 6, 0, 2, 0, 9, 9, 2, 0, 2, 0};
	static const uint8_t forged[] = {0, 2, 0, 5, 0, 0, 100, 1, 0, 2, 0, 3, 0, 4, 0, 0, 50, 1};
	static const uint8_t noise[] = {10, 0, 72, 'M', 'S', 'E', 'A', 1, 1, 0, 0};

	fuzz_seed(good, sizeof(good));
	fuzz_seed(forged, sizeof(forged));
	fuzz_seed(noise, sizeof(noise));
}
