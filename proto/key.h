/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key - who we are, and whom we believe: an Ed25519 identity and the keys of others, in files of one folder.
 *
 *     identity   ours, mode 0600, made when it is first needed; 'follows' has the one before, which signed it
 *     trusted    a line for each key of others, written by `mealy key` and by a first contact:
 *                KEY RIGHT NAME      admin | deploy | operate | read   a person
 *                                    agent                             the switch of that name
 *                                    server                            who answers at that address
 *     asked      keys that were refused because nobody trusts them, the latest ones
 *
 * Files are read again when they have changed, so a running process follows them. */
#ifndef MEALY_KEY_H
#define MEALY_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_SIZE = 32, KEY_SIGNATURE = 64, KEY_TEXT = 72, KEY_NAME_MAX = 255 };

enum key_right {
	RIGHT_NONE,
	RIGHT_AGENT,
	RIGHT_SERVER,
	RIGHT_READ, /* From here on each includes those before it. */
	RIGHT_OPERATE,
	RIGHT_DEPLOY,
	RIGHT_ADMIN,
};

const char *key_right_name(enum key_right right);
bool key_right_parse(const char *text, enum key_right *ret_right);

struct identity {
	uint8_t public[KEY_SIZE];
	uint8_t secret[64];
	uint8_t before[KEY_SIZE];	/* All zero: none. */
	uint8_t follows[KEY_SIGNATURE]; /* By the one before, over ours. */
};

/* "ed25519:" and 43 characters of base64 (RFC 4648, 5), as people compare them. */
void key_render(const uint8_t key[KEY_SIZE], char ret_text[KEY_TEXT]);
bool key_parse(const char *text, uint8_t ret_key[KEY_SIZE]);

/* Signs and checks what a handshake must be bound to. */
void key_sign(const struct identity *identity, const uint8_t *bytes, size_t size, uint8_t ret[KEY_SIGNATURE]);
bool key_check(const uint8_t key[KEY_SIZE], const uint8_t *bytes, size_t size, const uint8_t signature[KEY_SIGNATURE]);
/* Did 'before' sign that 'key' follows it? */
bool key_is_followed(const uint8_t before[KEY_SIZE], const uint8_t key[KEY_SIZE],
		     const uint8_t signature[KEY_SIGNATURE]);

struct keys;

/* Opens the folder, which is made (0700) with an identity if need be.  'ret_why' has 256 bytes. */
int keys_open(const char *folder, struct keys **ret_keys, char *ret_why);
void keys_close(struct keys *keys);
const struct identity *keys_identity(struct keys *keys);
const char *keys_folder(const struct keys *keys);

struct trusted {
	uint8_t key[KEY_SIZE];
	enum key_right right;
	char name[KEY_NAME_MAX + 1];
};

/* NULL: not trusted.  Valid until the next call. */
const struct trusted *keys_find(struct keys *keys, const uint8_t key[KEY_SIZE]);
/* That of a right and name, for what was pinned by an address or a switch's name. */
const struct trusted *keys_find_name(struct keys *keys, enum key_right right, const char *name);
const struct trusted *keys_at(struct keys *keys, size_t i);
/* Grows with each change of the file. */
uint64_t keys_generation(struct keys *keys);

/* Adds one, or changes that of the key.  Written and synced before it returns: 0 or -errno. */
int keys_trust(struct keys *keys, const struct trusted *trusted);
/* -ENOENT. */
int keys_revoke(struct keys *keys, const uint8_t key[KEY_SIZE]);
/* A new identity that the old one signs; those that trust the old one take it over. */
int keys_rotate(struct keys *keys);

/* Remembers who was refused, and reads that back: lines "KEY NAME". */
void keys_note_asked(struct keys *keys, const uint8_t key[KEY_SIZE], const char *name);
bool keys_asked_at(struct keys *keys, size_t i, uint8_t ret_key[KEY_SIZE], char ret_name[KEY_NAME_MAX + 1]);

#endif
