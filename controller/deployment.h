/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deployment - copies of struct deployment (proto/message.h) that own all they point to. */
#ifndef MEALY_DEPLOYMENT_H
#define MEALY_DEPLOYMENT_H

#include "../proto/message.h"

struct deployment_list {
	struct deployment *item;
	size_t n, room;
};

/* Fills '*ret_copy' with copies of everything.  Returns 0 or -ENOMEM, and then '*ret_copy' is
 * empty.  deployment_done() may be called twice, and on a zeroed structure. */
int deployment_copy(const struct deployment *from, struct deployment *ret_copy);
void deployment_done(struct deployment *deployment);

/* True when both ask for the same thing; versions and file names do not count. */
bool deployment_equal(const struct deployment *a, const struct deployment *b);

/* Lists are zeroed to begin with.  The list takes what '*deployment' owns, also on -ENOMEM. */
int deployment_list_take(struct deployment_list *list, struct deployment *deployment);
const struct deployment *deployment_list_find(const struct deployment_list *list, const char *name);
void deployment_list_done(struct deployment_list *list);

#endif
