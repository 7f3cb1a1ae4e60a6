/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "maglev.h"

static const char removed[] = "removed";

/* ---- one member ---- */

static struct app_member *find_member(struct members *members, unsigned id)
{
	for (size_t i = 0; i < members->n; i++)
		if (members->item[i].id == id)
			return &members->item[i];
	return NULL;
}

static int set_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return !isdigit((unsigned char)*text) || *end || errno || *ret_number > max ? -EINVAL : 0;
}

static int set_port(struct app_member *member, const struct port_names *ports, const char *text)
{
	int number;

	member->port = 0;
	if (set_number(text, PORTS_MAX, &member->port) == 0)
		return member->port ? 0 : -EINVAL;
	member->port = 0;
	if (!ports)
		return 0; /* Only a switch knows. */
	number = ports->find(ports->data, text);
	if (number < 1)
		return -EINVAL;
	member->port = number;
	return 0;
}

static int set_health(struct app_member *member, const char *text)
{
	member->down = strcmp(text, "down") == 0;
	return member->down || strcmp(text, "up") == 0 ? 0 : -EINVAL;
}

/* -ENOENT: a member has no 'key'. */
static int set_pair(const struct app_group *group, const struct port_names *ports, struct app_member *member,
		    const char *key, const char *text)
{
	uint64_t hi, lo;

	for (size_t i = 0; i < group->n_values; i++) {
		const struct typed *value = &group->value[i];

		if (strcmp(value->name, key) != 0)
			continue;
		if (value_parse(value->type, text, &hi, &lo) < 0)
			return -EINVAL;
		if (value->type == TYPE_ADDR)
			member->word[value->word] = hi;
		member->word[value->word + (value->type == TYPE_ADDR)] = lo;
		return 0;
	}
	if (strcmp(key, "health") == 0)
		return set_health(member, text);
	if (strcmp(key, "port") == 0)
		return set_port(member, ports, text);
	if (strcmp(key, "weight") != 0)
		return -ENOENT;
	if (set_number(text, MEMBER_WEIGHT_MAX, &lo) < 0)
		return -EINVAL;
	member->weight = lo;
	return 0;
}

typedef int (*pair_fn)(void *data, const char *key, const char *value);

/* Calls 'fn' for each KEY=VALUE of 'text'; stops with what it returns.  -EINVAL: no pair. */
static int each_pair(const char *text, pair_fn fn, void *data)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save, *word;
	int r = copy ? 0 : -ENOMEM;

	for (word = copy ? strtok_r(copy, " ", &save) : NULL; word && r == 0; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');

		if (!equals)
			return -EINVAL;
		*equals = '\0';
		r = fn(data, word, equals + 1);
	}
	return r;
}

struct setting_of {
	const struct app_group *group;
	const struct port_names *ports;
	struct app_member *member;
	char *why;
};

static int set_known(void *data, const char *key, const char *value)
{
	struct setting_of *s = data;

	set_pair(s->group, s->ports, s->member, key, value);
	return 0;
}

static int set_checked(void *data, const char *key, const char *value)
{
	struct setting_of *s = data;
	int r = set_pair(s->group, s->ports, s->member, key, value);

	if (r == -ENOENT && asprintf(&s->why, "a member of %s has no \"%s\"", s->group->name, key) < 0)
		return -ENOMEM;
	if (r == -EINVAL && asprintf(&s->why, "%s: \"%s\" does not fit", key, value) < 0)
		return -ENOMEM;
	return r < 0 ? -EINVAL : 0;
}

/* ---- lines ---- */

/* "GROUP ID REST" of group 'name': the id and the rest; false if it is of another. */
static bool parse_line(char *line, const char *name, unsigned *ret_id, char **ret_rest)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(line, name, len) != 0 || line[len] != ' ')
		return false;
	*ret_id = strtoul(line + len + 1, &end, 10);
	*ret_rest = *end == ' ' ? end + 1 : end;
	return *ret_id < GROUP_MEMBERS;
}

static void apply_line(const struct app_group *group, const struct port_names *ports, struct members *members,
		       unsigned id, const char *rest)
{
	struct app_member *member = find_member(members, id);
	struct setting_of setting = {.group = group, .ports = ports};

	if (strcmp(rest, removed) == 0) {
		if (member)
			memmove(member, member + 1, (&members->item[--members->n] - member) * sizeof(*member));
		return;
	}
	if (!member) {
		if (members->n == GROUP_MEMBERS)
			return;
		member = &members->item[members->n++];
		*member = (struct app_member){.id = id, .weight = 1};
	}
	setting.member = member;
	each_pair(rest, set_known, &setting);
}

void group_members(const struct app_group *group, const struct port_names *ports, const char *changes,
		   struct members *ret_members)
{
	_cleanup_free_ char *copy = strdup(changes ? changes : "");
	char *save, *line, *rest;
	unsigned id;

	ret_members->n = 0;
	for (size_t i = 0; i < group->n_members && i < GROUP_MEMBERS; i++)
		ret_members->item[ret_members->n++] = group->member[i];
	for (line = copy ? strtok_r(copy, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (parse_line(line, group->name, &id, &rest))
			apply_line(group, ports, ret_members, id, rest);
}

/* ---- changes ---- */

/* 'old' pairs, those of 'text' in place of theirs. */
static char *merge_pairs(const char *old, const char *text)
{
	_cleanup_free_ char *copy = strdup(old);
	char *merged = NULL, *save, *word;
	size_t size;
	FILE *out = copy ? open_memstream(&merged, &size) : NULL;

	if (!out)
		return NULL;
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		size_t len = strcspn(word, "=") + 1;
		bool again = false;

		for (const char *p = text; p && *p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL)
			again |= strncmp(p, word, len) == 0;
		if (!again && strcmp(word, removed) != 0)
			fprintf(out, "%s ", word);
	}
	fputs(text, out);
	if (fclose(out) != 0) {
		free(merged);
		return NULL;
	}
	return merged;
}

/* All lines but the member's (or the group's), which goes to '*ret_old'. */
static void copy_lines(FILE *out, const char *changes, const struct group_change *change, char **ret_old)
{
	_cleanup_free_ char *copy = strdup(changes ? changes : "");
	char *save, *line, *rest;
	unsigned id;

	for (line = copy ? strtok_r(copy, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		if (!parse_line(line, change->group, &id, &rest) || (change->verb != GROUP_RESET && id != change->id))
			fprintf(out, "%s\n", line);
		else if (change->verb != GROUP_RESET)
			*ret_old = strdup(rest);
	}
}

static bool in_file(const struct app_group *group, unsigned id)
{
	for (size_t i = 0; i < group->n_members; i++)
		if (group->member[i].id == id)
			return true;
	return false;
}

static int write_change(const struct app_group *group, const char *changes, const struct group_change *change,
			char **ret_changes)
{
	_cleanup_free_ char *old = NULL, *merged = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	copy_lines(out, changes, change, &old);
	if (change->verb == GROUP_REMOVE && in_file(group, change->id))
		fprintf(out, "%s %u %s\n", change->group, change->id, removed);
	if (change->verb == GROUP_ADD || change->verb == GROUP_SET) {
		merged = merge_pairs(change->verb == GROUP_SET && old ? old : "", change->text);
		if (merged)
			fprintf(out, "%s %u %s\n", change->group, change->id, merged);
	}
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret_changes = text;
	return 0;
}

static const struct app_group *find_group(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->n_groups; i++)
		if (strcmp(app->group[i].name, name) == 0)
			return &app->group[i];
	return NULL;
}

static int refuse(char **ret_why, int r, const char *format, const char *group, unsigned id)
{
	return asprintf(ret_why, format, group, id) < 0 ? -ENOMEM : r;
}

/* A new member has a value for each that the group declares. */
static int check_complete(const struct app_group *group, const char *text, char **ret_why)
{
	for (size_t i = 0; i < group->n_values; i++) {
		const char *name = group->value[i].name, *p = text;
		size_t len = strlen(name);

		while (p && !(strncmp(p, name, len) == 0 && p[len] == '='))
			p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL;
		if (!p)
			return asprintf(ret_why, "a new member of %s needs %s=...", group->name, name) < 0 ? -ENOMEM
													   : -EINVAL;
	}
	return 0;
}

static int check_change(const struct app_group *group, const struct port_names *ports, const char *changes,
			const struct group_change *change, char **ret_why)
{
	_cleanup_free_ struct members *members = malloc(sizeof(*members));
	struct app_member *member, fresh = {.id = change->id, .weight = 1};
	struct setting_of setting = {.group = group, .ports = ports};
	int r;

	if (!members)
		return -ENOMEM;
	if (change->verb == GROUP_RESET)
		return 0;
	if (change->id >= GROUP_MEMBERS)
		return refuse(ret_why, -EINVAL, "%s: ids of members are 0 to 255, not %u", group->name, change->id);
	group_members(group, ports, changes, members);
	member = find_member(members, change->id);
	if (!member && change->verb != GROUP_ADD)
		return refuse(ret_why, -ENOENT, "%s has no member %u", group->name, change->id);
	if (member && change->verb == GROUP_ADD)
		return refuse(ret_why, -EINVAL, "%s has a member %u already", group->name, change->id);
	if (change->verb == GROUP_REMOVE)
		return 0;
	setting.member = member ? member : &fresh;
	r = each_pair(change->text, set_checked, &setting);
	if (r == 0 && change->verb == GROUP_ADD)
		return check_complete(group, change->text, ret_why);
	if (r == -EINVAL && !setting.why)
		return refuse(ret_why, r, "%s: changes of member %u are written KEY=VALUE", group->name, change->id);
	*ret_why = setting.why;
	return r;
}

int group_change(const struct app *app, const struct port_names *ports, const char *changes,
		 const struct group_change *change, char **ret_changes, char **ret_why)
{
	const struct app_group *group = find_group(app, change->group);
	int r;

	*ret_why = NULL;
	if (!group)
		return asprintf(ret_why, "%s has no group \"%s\"", app->name, change->group) < 0 ? -ENOMEM : -ENOENT;
	r = check_change(group, ports, changes, change, ret_why);
	return r < 0 ? r : write_change(group, changes, change, ret_changes);
}
