/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members into the memory that packets read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "group.h"
#include "maglev.h"

#define STORE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
#define LOAD(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)

static bool gets_packets(const struct app_member *member)
{
	return !member->down && member->weight > 0;
}

/* ---- slots ---- */

static int by_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* First fit between the tables that groups have now. */
static int find_room(const struct groups *groups, unsigned size, unsigned *ret_first)
{
	uint64_t table[GROUPS_MAX];
	unsigned n = 0, end = 0;

	for (unsigned i = 0; i < GROUPS_MAX; i++)
		if (GROUP_SIZE(LOAD(groups->at[i].table)))
			table[n++] = LOAD(groups->at[i].table);
	qsort(table, n, sizeof(table[0]), by_first);
	for (unsigned i = 0; i < n && GROUP_FIRST(table[i]) - end < size; i++)
		end = GROUP_FIRST(table[i]) + GROUP_SIZE(table[i]);
	*ret_first = end;
	return end + size <= GROUP_SLOTS ? 0 : -ENOSPC;
}

static int choose(const struct app_group *group, const struct members *members, uint16_t *slot)
{
	struct maglev_member member[GROUP_MEMBERS];

	if (group->type == GROUP_FIRST_LIVE) {
		slot[0] = MEMBER_NONE;
		for (size_t i = members->n; i-- > 0;)
			if (gets_packets(&members->item[i]))
				slot[0] = members->item[i].id;
		return 0;
	}
	for (size_t i = 0; i < members->n; i++)
		member[i] = (struct maglev_member){members->item[i].id,
						   members->item[i].down ? 0 : members->item[i].weight};
	return maglev_fill(member, members->n, slot, group->size);
}

static int write_slots(struct groups *groups, unsigned index, const struct app_group *group,
		       const struct members *members)
{
	_cleanup_free_ uint16_t *slot = calloc(group->size, sizeof(*slot));
	uint64_t table = LOAD(groups->at[index].table);
	unsigned first;
	int r;

	if (!slot)
		return -ENOMEM;
	r = choose(group, members, slot);
	if (r < 0)
		return r;
	if (GROUP_SIZE(table) == group->size &&
	    memcmp(&groups->slot[GROUP_FIRST(table)], slot, group->size * sizeof(*slot)) == 0)
		return 0;
	r = find_room(groups, group->size, &first);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < group->size; i++)
		STORE(groups->slot[first + i], slot[i]);
	__atomic_store_n(&groups->at[index].table, GROUP_TABLE(first, group->size), __ATOMIC_RELEASE);
	return 0;
}

/* ---- members ---- */

static void write_member(struct groups *groups, unsigned index, const struct app_member *member)
{
	__u64 *word = &groups->member[MEMBER_INDEX(index, member->id, 0)];

	for (unsigned i = 0; i < MEMBER_VALUES; i++)
		STORE(word[MEMBER_VALUE + i], member->word[i]);
	STORE(word[MEMBER_PORT], member->port);
	__atomic_store_n(&word[MEMBER_VALID], !member->down, __ATOMIC_RELEASE);
}

/* Those that are gone: no packet is given to them any more. */
static void clear_members(struct groups *groups, unsigned index, const struct members *members)
{
	bool here[GROUP_MEMBERS] = {};

	for (size_t i = 0; i < members->n; i++)
		here[members->item[i].id] = true;
	for (unsigned id = 0; id < GROUP_MEMBERS; id++)
		for (unsigned i = 0; !here[id] && i < MEMBER_WORDS; i++)
			STORE(groups->member[MEMBER_INDEX(index, id, MEMBER_WORDS - 1 - i)], 0);
}

static void write_all(struct group_desc *desc, const struct app_group *group, const struct members *members)
{
	uint64_t all = 0;

	for (size_t i = 0; group->type == GROUP_ALL && i < members->n; i++) {
		const struct app_member *member = &members->item[i];

		if (!gets_packets(member) || member->port == 0)
			continue;
		STORE(desc->member[member->port - 1], member->id);
		all |= 1ULL << (member->port - 1);
	}
	__atomic_store_n(&desc->all, all, __ATOMIC_RELEASE);
}

int group_write(struct groups *groups, unsigned index, const struct app_group *group, const struct members *members)
{
	int r = 0;

	for (size_t i = 0; i < members->n; i++)
		write_member(groups, index, &members->item[i]);
	write_all(&groups->at[index], group, members);
	if (group->size > 0)
		r = write_slots(groups, index, group, members);
	clear_members(groups, index, members);
	return r;
}

void group_clear(struct groups *groups, unsigned index)
{
	const struct members none = {};

	__atomic_store_n(&groups->at[index].table, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&groups->at[index].all, 0, __ATOMIC_RELEASE);
	clear_members(groups, index, &none);
}
