// SPDX-License-Identifier: GPL-2.0-or-later
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/cleanup.h"

enum { ASKED_MAX = 32, WHY_SIZE = 256, PATH_MAX_LEN = 400 };

static const char key_prefix[] = "ed25519:";
static const char follows_context[] = "mealy: this key follows: ";

struct keys {
	char *folder;
	struct identity identity;
	struct trusted *item;
	size_t n;
	ino_t identity_ino; /* A new one is another file. */
	uint64_t generation;
	struct stat seen; /* Of `trusted`, when it was read. */
};

/* ---- words ---- */

static const char *const right_names[] = {"none", "agent", "server", "read", "operate", "deploy", "admin"};

const char *key_right_name(enum key_right right)
{
	return right_names[right];
}

bool key_right_parse(const char *text, enum key_right *ret_right)
{
	for (enum key_right i = RIGHT_AGENT; i <= RIGHT_ADMIN; i++)
		if (strcmp(text, right_names[i]) == 0) {
			*ret_right = i;
			return true;
		}
	return false;
}

void key_render(const uint8_t key[KEY_SIZE], char ret_text[KEY_TEXT])
{
	size_t n = sizeof(key_prefix) - 1;

	memcpy(ret_text, key_prefix, n);
	sodium_bin2base64(ret_text + n, KEY_TEXT - n, key, KEY_SIZE, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool key_parse(const char *text, uint8_t ret_key[KEY_SIZE])
{
	size_t n = sizeof(key_prefix) - 1, size;

	return strncmp(text, key_prefix, n) == 0 &&
	       sodium_base642bin(ret_key, KEY_SIZE, text + n, strlen(text + n), NULL, &size, NULL,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       size == KEY_SIZE;
}

/* ---- signatures ---- */

void key_sign(const struct identity *identity, const uint8_t *bytes, size_t size, uint8_t ret[KEY_SIGNATURE])
{
	crypto_sign_detached(ret, NULL, bytes, size, identity->secret);
}

bool key_check(const uint8_t key[KEY_SIZE], const uint8_t *bytes, size_t size, const uint8_t signature[KEY_SIGNATURE])
{
	return crypto_sign_verify_detached(signature, bytes, size, key) == 0;
}

static void follows_text(const uint8_t key[KEY_SIZE], uint8_t ret[sizeof(follows_context) - 1 + KEY_SIZE])
{
	memcpy(ret, follows_context, sizeof(follows_context) - 1);
	memcpy(ret + sizeof(follows_context) - 1, key, KEY_SIZE);
}

bool key_is_followed(const uint8_t before[KEY_SIZE], const uint8_t key[KEY_SIZE],
		     const uint8_t signature[KEY_SIGNATURE])
{
	uint8_t text[sizeof(follows_context) - 1 + KEY_SIZE];

	follows_text(key, text);
	return !sodium_is_zero(before, KEY_SIZE) && key_check(before, text, sizeof(text), signature);
}

/* ---- files ---- */

static void path_of(const struct keys *keys, const char *name, char ret[PATH_MAX_LEN])
{
	snprintf(ret, PATH_MAX_LEN, "%s/%s", keys->folder, name);
}

/* Written beside, synced, then put in place: a reader sees the old or the new one. */
static int write_file(const struct keys *keys, const char *name, const void *bytes, size_t size)
{
	char path[PATH_MAX_LEN], temp[PATH_MAX_LEN + 8];
	int fd, r = 0;

	path_of(keys, name, path);
	snprintf(temp, sizeof(temp), "%s.new", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, bytes, size) != (ssize_t)size)
		r = errno ? -errno : -EIO;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}

/* One writer at a time: a command and a running process share the files. */
static int lock_folder(const struct keys *keys)
{
	int fd = open(keys->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

/* ---- identity ---- */

static int write_identity(struct keys *keys)
{
	return write_file(keys, "identity", &keys->identity, sizeof(keys->identity));
}

static int read_identity(struct keys *keys, char *ret_why)
{
	char path[PATH_MAX_LEN];
	struct stat st;
	ssize_t n;
	int fd;

	path_of(keys, "identity", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT) {
		crypto_sign_keypair(keys->identity.public, keys->identity.secret);
		return write_identity(keys);
	}
	if (fd < 0)
		return -errno;
	n = read(fd, &keys->identity, sizeof(keys->identity));
	fstat(fd, &st);
	keys->identity_ino = st.st_ino;
	close(fd);
	if (n != sizeof(keys->identity) ||
	    memcmp(keys->identity.public, keys->identity.secret + KEY_SIZE, KEY_SIZE) != 0) {
		snprintf(ret_why, WHY_SIZE, "%.180s is damaged: put it back, or remove it for a new identity", path);
		return -EUCLEAN;
	}
	if (st.st_mode & 077) {
		snprintf(ret_why, WHY_SIZE, "%.180s may be read by others: chmod 600, or remove it for a new identity",
			 path);
		return -EPERM;
	}
	return 0;
}

int keys_rotate(struct keys *keys)
{
	uint8_t text[sizeof(follows_context) - 1 + KEY_SIZE];
	struct identity next = {};
	_cleanup_close_ int lock = lock_folder(keys);

	crypto_sign_keypair(next.public, next.secret);
	memcpy(next.before, keys->identity.public, KEY_SIZE);
	follows_text(next.public, text);
	key_sign(&keys->identity, text, sizeof(text), next.follows);
	keys->identity = next;
	sodium_memzero(&next, sizeof(next));
	return write_identity(keys);
}

/* ---- trusted ---- */

static bool parse_line(const char *line, struct trusted *ret)
{
	char key[KEY_TEXT + 1], right[16];
	int at = 0;

	if (sscanf(line, "%72s %15s %n", key, right, &at) != 2 || !at)
		return false;
	snprintf(ret->name, sizeof(ret->name), "%s", line + at);
	ret->name[strcspn(ret->name, "\r\n")] = '\0';
	return key_parse(key, ret->key) && key_right_parse(right, &ret->right);
}

/* A line that is not understood trusts nobody. */
static void read_trusted(struct keys *keys)
{
	char path[PATH_MAX_LEN], line[KEY_TEXT + KEY_NAME_MAX + 32];
	_cleanup_file_ FILE *in = NULL;
	struct stat st = {};

	path_of(keys, "trusted", path);
	if (stat(path, &st) == 0 && st.st_ino == keys->seen.st_ino && st.st_size == keys->seen.st_size &&
	    st.st_mtim.tv_sec == keys->seen.st_mtim.tv_sec && st.st_mtim.tv_nsec == keys->seen.st_mtim.tv_nsec)
		return;
	if (!st.st_ino && !keys->n)
		return;
	keys->seen = st;
	keys->generation++;
	keys->n = 0;
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		struct trusted *more = reallocarray(keys->item, keys->n + 1, sizeof(*more));

		if (!more)
			return;
		keys->item = more;
		keys->n += parse_line(line, &more[keys->n]);
	}
}

static int write_trusted(struct keys *keys)
{
	_cleanup_free_ char *text = NULL;
	char key[KEY_TEXT];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < keys->n; i++) {
		key_render(keys->item[i].key, key);
		fprintf(out, "%s %s %s\n", key, key_right_name(keys->item[i].right), keys->item[i].name);
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	r = write_file(keys, "trusted", text, size);
	keys->seen = (struct stat){};
	read_trusted(keys);
	return r;
}

const struct trusted *keys_at(struct keys *keys, size_t i)
{
	read_trusted(keys);
	return i < keys->n ? &keys->item[i] : NULL;
}

const struct trusted *keys_find(struct keys *keys, const uint8_t key[KEY_SIZE])
{
	read_trusted(keys);
	for (size_t i = 0; i < keys->n; i++)
		if (memcmp(keys->item[i].key, key, KEY_SIZE) == 0)
			return &keys->item[i];
	return NULL;
}

const struct trusted *keys_find_name(struct keys *keys, enum key_right right, const char *name)
{
	read_trusted(keys);
	for (size_t i = 0; i < keys->n; i++)
		if (keys->item[i].right == right && strcmp(keys->item[i].name, name) == 0)
			return &keys->item[i];
	return NULL;
}

uint64_t keys_generation(struct keys *keys)
{
	read_trusted(keys);
	return keys->generation;
}

static void write_asked(struct keys *keys, const uint8_t key[KEY_SIZE], const char *name);

int keys_trust(struct keys *keys, const struct trusted *trusted)
{
	_cleanup_close_ int lock = lock_folder(keys);
	struct trusted *found = (struct trusted *)keys_find(keys, trusted->key);

	if (!found) {
		struct trusted *more = reallocarray(keys->item, keys->n + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		keys->item = more;
		found = &more[keys->n++];
	}
	*found = *trusted;
	write_asked(keys, trusted->key, NULL);
	return write_trusted(keys);
}

int keys_revoke(struct keys *keys, const uint8_t key[KEY_SIZE])
{
	_cleanup_close_ int lock = lock_folder(keys);
	const struct trusted *found = keys_find(keys, key);

	if (!found)
		return -ENOENT;
	keys->item[found - keys->item] = keys->item[--keys->n];
	return write_trusted(keys);
}

/* ---- who was refused ---- */

bool keys_asked_at(struct keys *keys, size_t i, uint8_t ret_key[KEY_SIZE], char ret_name[KEY_NAME_MAX + 1])
{
	char path[PATH_MAX_LEN], line[KEY_TEXT + KEY_NAME_MAX + 32], key[KEY_TEXT + 1];
	_cleanup_file_ FILE *in = NULL;
	int at = 0;

	path_of(keys, "asked", path);
	in = fopen(path, "re");
	for (size_t n = 0; in && fgets(line, sizeof(line), in); n++) {
		if (n < i)
			continue;
		if (sscanf(line, "%72s %n", key, &at) != 1 || !key_parse(key, ret_key))
			return false;
		snprintf(ret_name, KEY_NAME_MAX + 1, "%s", line + at);
		ret_name[strcspn(ret_name, "\r\n")] = '\0';
		return true;
	}
	return false;
}

/* What was noted, without 'key', behind a line for 'name' (NULL: none). */
static void write_asked(struct keys *keys, const uint8_t key[KEY_SIZE], const char *name)
{
	_cleanup_free_ char *text = NULL;
	char line[KEY_TEXT], old_name[KEY_NAME_MAX + 1];
	uint8_t old[KEY_SIZE];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	key_render(key, line);
	if (name)
		fprintf(out, "%s %s\n", line, name);
	for (size_t i = 0; i < ASKED_MAX && keys_asked_at(keys, i, old, old_name); i++) {
		if (memcmp(old, key, KEY_SIZE) == 0)
			continue;
		key_render(old, line);
		fprintf(out, "%s %s\n", line, old_name);
	}
	if (fclose(out) == 0)
		write_file(keys, "asked", text, size);
}

void keys_note_asked(struct keys *keys, const uint8_t key[KEY_SIZE], const char *name)
{
	write_asked(keys, key, name);
}

/* ---- open ---- */

/* The folder and those it lies in. */
static int make_folder(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int keys_open(const char *folder, struct keys **ret_keys, char *ret_why)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	int r = keys ? 0 : -ENOMEM;

	ret_why[0] = '\0';
	if (r == 0 && sodium_init() < 0)
		r = -EIO;
	if (r == 0 && !(keys->folder = strdup(folder)))
		r = -ENOMEM;
	if (r == 0 && strlen(folder) > PATH_MAX_LEN - 32)
		r = -ENAMETOOLONG;
	if (r == 0)
		r = make_folder(folder);
	if (r == 0)
		r = read_identity(keys, ret_why);
	if (r < 0) {
		if (!ret_why[0])
			snprintf(ret_why, WHY_SIZE, "keys in %.180s: %s", folder, strerror(-r));
		keys_close(keys);
		return r;
	}
	*ret_keys = keys;
	return 0;
}

void keys_close(struct keys *keys)
{
	if (!keys)
		return;
	sodium_memzero(&keys->identity, sizeof(keys->identity));
	free(keys->item);
	free(keys->folder);
	free(keys);
}

/* A rotated one is read again. */
const struct identity *keys_identity(struct keys *keys)
{
	char path[PATH_MAX_LEN], why[WHY_SIZE];
	struct keys other = {.folder = keys->folder};
	struct stat st;

	path_of(keys, "identity", path);
	if (stat(path, &st) == 0 && st.st_ino != keys->identity_ino && read_identity(&other, why) == 0) {
		keys->identity = other.identity;
		keys->identity_ino = other.identity_ino;
	}
	sodium_memzero(&other, sizeof(other));
	return &keys->identity;
}

const char *keys_folder(const struct keys *keys)
{
	return keys->folder;
}
