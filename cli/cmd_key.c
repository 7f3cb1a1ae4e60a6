/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key show|list|trust|revoke|rotate: our key, and whom we believe; files only, of whoever uses the folder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../proto/key.h"
#include "handlers.h"

static int open_keys(const struct cli *cli, struct keys **ret_keys)
{
	char why[256];

	return keys_open(cli->keys, ret_keys, why) < 0 ? cli_fail("%s", why) : 0;
}

static void print_key(struct render *out, const uint8_t *key, const char *right, const char *name)
{
	char text[KEY_TEXT];

	key_render(key, text);
	render_row_begin(out);
	render_string(out, "key", text);
	render_string(out, "right", right);
	render_string(out, "name", name);
	render_row_end(out);
}

int key_show(struct cli *cli, const struct args *args)
{
	struct keys *keys;
	char text[KEY_TEXT];
	struct render *out;
	int r = open_keys(cli, &keys);

	if (r)
		return r;
	key_render(keys_identity(keys)->public, text);
	out = cli->json ? render_new(stdout, true) : NULL;
	if (out) {
		render_row_begin(out);
		render_string(out, "key", text);
		render_string(out, "folder", cli->keys);
		render_row_end(out);
	} else {
		puts(text);
	}
	render_free(out);
	keys_close(keys);
	return EXIT_OK;
}

int key_list(struct cli *cli, const struct args *args)
{
	char name[KEY_NAME_MAX + 1];
	const struct trusted *t;
	uint8_t key[KEY_SIZE];
	struct render *out;
	struct keys *keys;
	int r = open_keys(cli, &keys);

	if (r)
		return r;
	out = render_new(stdout, cli->json);
	for (size_t i = 0; out && (t = keys_at(keys, i)); i++)
		print_key(out, t->key, key_right_name(t->right), t->name);
	for (size_t i = 0; out && keys_asked_at(keys, i, key, name); i++)
		if (!keys_find(keys, key))
			print_key(out, key, "refused", name);
	if (out && !keys_at(keys, 0) && !keys_asked_at(keys, 0, key, name))
		render_note(out, "%s: no keys but ours", cli->keys);
	render_free(out);
	keys_close(keys);
	return out ? EXIT_OK : cli_fail("out of memory");
}

int key_trust(struct cli *cli, const struct args *args)
{
	struct trusted trusted = {};
	struct keys *keys;
	int r;

	if (!key_parse(args->arg[0], trusted.key))
		return cli_usage("expected a key, ed25519:..., not \"%s\"", args->arg[0]);
	if (!key_right_parse(args->arg[1], &trusted.right))
		return cli_usage("a right is read, operate, deploy, admin, agent or server, not \"%s\"", args->arg[1]);
	if (!args->arg[2][0] || strlen(args->arg[2]) > KEY_NAME_MAX || strpbrk(args->arg[2], "\r\n"))
		return cli_usage("that is no name");
	strcpy(trusted.name, args->arg[2]);
	r = open_keys(cli, &keys);
	if (r)
		return r;
	r = keys_trust(keys, &trusted);
	keys_close(keys);
	if (r < 0)
		return cli_fail("%s: %s", cli->keys, strerror(-r));
	if (!cli->json)
		printf("%s \"%s\" is trusted with %s\n", args->arg[0], trusted.name, args->arg[1]);
	return EXIT_OK;
}

int key_revoke(struct cli *cli, const struct args *args)
{
	uint8_t key[KEY_SIZE];
	struct keys *keys;
	int r;

	if (!key_parse(args->arg[0], key))
		return cli_usage("expected a key, ed25519:..., not \"%s\"", args->arg[0]);
	r = open_keys(cli, &keys);
	if (r)
		return r;
	r = keys_revoke(keys, key);
	keys_close(keys);
	if (r == -ENOENT)
		return cli_fail("%s: there is no such key (mealy key list shows them)", cli->keys);
	if (r < 0)
		return cli_fail("%s: %s", cli->keys, strerror(-r));
	if (!cli->json)
		printf("%s is trusted no more\n", args->arg[0]);
	return EXIT_OK;
}

int key_rotate(struct cli *cli, const struct args *args)
{
	struct keys *keys;
	int r = open_keys(cli, &keys);

	if (r)
		return r;
	r = keys_rotate(keys);
	keys_close(keys);
	if (r < 0)
		return cli_fail("%s: %s", cli->keys, strerror(-r));
	return key_show(cli, args);
}
