/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement_diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../datapath/pipeline.h"

static const char *hook_name(uint32_t hook)
{
	static const char *const names[] = {
		[HOOK_XDP] = "xdp", [HOOK_TC_INGRESS] = "tc-ingress", [HOOK_TC_EGRESS] = "tc-egress"};

	return hook < HOOK_MAX ? names[hook] : "?";
}

static void print_ports(FILE *out, const struct deployment *d)
{
	if (!d->n_ports)
		fputs("all", out);
	for (size_t i = 0; i < d->n_ports; i++)
		fprintf(out, "%s%s", i ? ", " : "", d->port[i]);
}

static bool same_ports(const struct deployment *a, const struct deployment *b)
{
	if (a->n_ports != b->n_ports)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (strcmp(a->port[i], b->port[i]))
			return false;
	return true;
}

char *placement_diff(const struct deployment *old, const struct deployment *new_, bool *ret_same)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	*ret_same = false;
	if (!out)
		return NULL;
	if (old->hook != new_->hook)
		fprintf(out, "hook: %s -> %s\n", hook_name(old->hook), hook_name(new_->hook));
	if (old->order != new_->order)
		fprintf(out, "order: %u -> %u\n", old->order, new_->order);
	if (!same_ports(old, new_)) {
		fputs("ports: ", out);
		print_ports(out, old);
		fputs(" -> ", out);
		print_ports(out, new_);
		fputc('\n', out);
	}
	if (strcmp(old->switches, new_->switches))
		fprintf(out, "switches: %s -> %s\n", old->switches, new_->switches);
	if (strcmp(old->members ?: "", new_->members ?: ""))
		fputs("members of groups changed\n", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	*ret_same = size == 0;
	if (size)
		text[size - 1] = '\0';
	return text;
}
