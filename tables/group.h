/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group - the members of a group as they are now, and how the datapath sees them.
 *
 * What people and controllers changed lies over the file as lines of text, one a member, and goes wherever the
 * deployment goes:
 *
 *     backends 3 weight=0 health=down
 *     backends 11 ip=10.0.0.9 port=8080
 *     backends 4 removed */
#ifndef MEALY_GROUP_H
#define MEALY_GROUP_H

#include "app.h"

struct members {
	struct app_member item[GROUP_MEMBERS];
	size_t n;
};

/* The members of 'group': the file's, then 'changes' ("" or NULL: none).  A line that no longer fits the file is
 * passed over. */
void group_members(const struct app_group *group, const struct port_names *ports, const char *changes,
		   struct members *ret_members);

enum group_verb { GROUP_ADD, GROUP_SET, GROUP_REMOVE, GROUP_RESET };

struct group_change {
	enum group_verb verb;
	const char *group;
	unsigned id;	  /* Not of GROUP_RESET. */
	const char *text; /* "weight=2 health=down ip=10.0.0.9"; of GROUP_ADD and GROUP_SET. */
};

/* 'changes' with one more: to be freed by the caller.  -EINVAL, or -ENOENT (no such group or member), with
 * '*ret_why' to be freed; -ENOMEM. */
int group_change(const struct app *app, const struct port_names *ports, const char *changes,
		 const struct group_change *change, char **ret_changes, char **ret_why);

/* Makes 'members' those of group 'index' in 'groups', while packets flow: each member's values, then the table of slots
 * by one store.  The slots that were may still be read until grace; until then no other group may be written.
 * 0, -ENOMEM, -ENOSPC: no room for the slots. */
int group_write(struct groups *groups, unsigned index, const struct app_group *group, const struct members *members);
/* After grace: the group is nobody's. */
void group_clear(struct groups *groups, unsigned index);

#endif
