/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deployment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_string(const char **to, const char *from)
{
	*to = strdup(from ? from : "");
	return *to ? 0 : -ENOMEM;
}

static int copy_settings(struct deployment *to, const struct deployment *from)
{
	if (!from->n_settings)
		return 0;
	to->setting = calloc(from->n_settings, sizeof(*to->setting));
	if (!to->setting)
		return -ENOMEM;
	to->n_settings = from->n_settings;
	for (size_t i = 0; i < from->n_settings; i++)
		if (copy_string(&to->setting[i].name, from->setting[i].name) < 0 ||
		    copy_string(&to->setting[i].text, from->setting[i].text) < 0)
			return -ENOMEM;
	return 0;
}

static int copy_ports(struct deployment *to, const struct deployment *from)
{
	if (!from->n_ports)
		return 0;
	to->port = calloc(from->n_ports, sizeof(*to->port));
	if (!to->port)
		return -ENOMEM;
	to->n_ports = from->n_ports;
	for (size_t i = 0; i < from->n_ports; i++)
		if (copy_string(&to->port[i], from->port[i]) < 0)
			return -ENOMEM;
	return 0;
}

int deployment_copy(const struct deployment *from, struct deployment *ret_copy)
{
	struct deployment to = {.version = from->version, .hook = from->hook, .order = from->order};

	if (copy_string(&to.name, from->name) < 0 || copy_string(&to.file, from->file) < 0 ||
	    copy_string(&to.text, from->text) < 0 || copy_string(&to.switches, from->switches) < 0 ||
	    copy_string(&to.members, from->members) < 0 || copy_settings(&to, from) < 0 || copy_ports(&to, from) < 0) {
		deployment_done(&to);
		memset(ret_copy, 0, sizeof(*ret_copy));
		return -ENOMEM;
	}
	*ret_copy = to;
	return 0;
}

void deployment_done(struct deployment *deployment)
{
	for (size_t i = 0; i < deployment->n_settings; i++) {
		free((char *)deployment->setting[i].name);
		free((char *)deployment->setting[i].text);
	}
	for (size_t i = 0; i < deployment->n_ports; i++)
		free((char *)deployment->port[i]);
	free(deployment->setting);
	free(deployment->port);
	free((char *)deployment->name);
	free((char *)deployment->file);
	free((char *)deployment->text);
	free((char *)deployment->switches);
	free((char *)deployment->members);
	memset(deployment, 0, sizeof(*deployment));
}

bool deployment_equal(const struct deployment *a, const struct deployment *b)
{
	if (strcmp(a->name, b->name) || strcmp(a->text, b->text) || strcmp(a->switches, b->switches) ||
	    a->hook != b->hook || a->order != b->order || a->n_settings != b->n_settings || a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_settings; i++)
		if (strcmp(a->setting[i].name, b->setting[i].name) || strcmp(a->setting[i].text, b->setting[i].text))
			return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (strcmp(a->port[i], b->port[i]))
			return false;
	return strcmp(a->members ?: "", b->members ?: "") == 0;
}

int deployment_list_take(struct deployment_list *list, struct deployment *deployment)
{
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 8;
		struct deployment *item = realloc(list->item, room * sizeof(*item));

		if (!item) {
			deployment_done(deployment);
			return -ENOMEM;
		}
		list->item = item;
		list->room = room;
	}
	list->item[list->n++] = *deployment;
	memset(deployment, 0, sizeof(*deployment));
	return 0;
}

const struct deployment *deployment_list_find(const struct deployment_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].name, name) == 0)
			return &list->item[i];
	return NULL;
}

void deployment_list_done(struct deployment_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		deployment_done(&list->item[i]);
	free(list->item);
	memset(list, 0, sizeof(*list));
}
