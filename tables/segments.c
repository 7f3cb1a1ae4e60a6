/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "segments.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../datapath/hash.h"
#include "app_check.h"
#include "literal.h"

enum { ADDRESS_MAX = 39 };

#define STORE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELEASE)

/* ---- text ---- */

static __attribute__((format(printf, 2, 3))) int refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, SEGMENTS_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

static int parse_one(const char *text, size_t len, __u64 *ret_words, char *why)
{
	char one[ADDRESS_MAX + 1], error[LITERAL_ERROR_SIZE];
	struct literal literal;

	snprintf(one, sizeof(one), "%.*s", (int)len, text);
	if (len > ADDRESS_MAX || literal_parse(one, &literal, error) < 0 || literal.type != TYPE_ADDR ||
	    value_is_ipv4(literal.hi, literal.lo))
		return refuse(why, "\"%.*s\" is no IPv6 address", (int)(len < 60 ? len : 60), text);
	ret_words[0] = literal.hi;
	ret_words[1] = literal.lo;
	return 0;
}

int segments_parse(const char *text, struct segments *ret_segments, char *why)
{
	__u64 path[SEGMENTS_MAX][2];
	unsigned n = 0;

	*ret_segments = (struct segments){};
	for (;;) {
		size_t len;

		text += strspn(text, " ");
		len = strcspn(text, ", ");
		if (n == SEGMENTS_MAX)
			return refuse(why, "a list has at most %d segments", SEGMENTS_MAX);
		if (parse_one(text, len, path[n], why) < 0)
			return -EINVAL;
		n++;
		text += len + strspn(text + len, " ");
		if (!*text)
			break;
		if (*text++ != ',')
			return refuse(why, "segments are addresses with commas between them");
	}
	ret_segments->n = n;
	for (unsigned i = 0; i < n; i++)
		memcpy(&ret_segments->word[2 * i], path[n - 1 - i], sizeof(path[0]));
	return 0;
}

const char *segments_render(const struct segments *segments, char *buf)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = segments->n; i-- > 0;) {
		char one[64];

		value_render(TYPE_ADDR, segments->word[2 * i], segments->word[2 * i + 1], 0, one, sizeof(one));
		used += snprintf(buf + used, SEGMENTS_TEXT_SIZE - used, "%s%s", used ? "," : "", one);
	}
	return buf;
}

/* ---- fingerprints ---- */

__u64 segments_fingerprint(const struct segments *segments)
{
	__u64 sum = segments->n;

	for (unsigned i = 0; i < 2 * segments->n; i++)
		sum = segments_mix(sum, segments->word[i]);
	return segments_end(sum);
}

/* ---- memory ---- */

/* The list's number, 0: none.  '*ret_length': how many are behind its head. */
static unsigned find(const struct segment_lists *lists, __u64 fingerprint, unsigned *ret_length)
{
	unsigned i = lists->head[fingerprint & (SEGMENT_HEADS - 1)];

	for (*ret_length = 0; i && *ret_length < SEGMENT_CHAIN_MAX; ++*ret_length) {
		i &= SEGMENT_LISTS - 1;
		if (lists->at[i].fingerprint == fingerprint)
			return i;
		i = lists->at[i].next;
	}
	return 0;
}

int segments_get(const struct segment_lists *lists, __u64 fingerprint, struct segments *ret_segments)
{
	unsigned length, i = find(lists, fingerprint, &length);

	if (!i || lists->at[i].n > SEGMENTS_MAX)
		return -ENOENT;
	ret_segments->n = lists->at[i].n;
	memcpy(ret_segments->word, lists->at[i].word, sizeof(ret_segments->word));
	return 0;
}

/* Searched from a place that no two lists are likely to have. */
static unsigned find_free(const struct segment_lists *lists, __u64 fingerprint)
{
	for (unsigned i = 0; i < SEGMENT_LISTS; i++) {
		unsigned at = ((fingerprint >> 32) + i) & (SEGMENT_LISTS - 1);

		if (at && !lists->at[at].n)
			return at;
	}
	return 0;
}

int segments_put(struct segment_lists *lists, const struct segments *segments)
{
	__u64 fingerprint = segments_fingerprint(segments);
	__u32 *head = &lists->head[fingerprint & (SEGMENT_HEADS - 1)];
	unsigned length, i = find(lists, fingerprint, &length);
	struct segment_list *list = &lists->at[i];

	if (i)
		return list->n == segments->n && memcmp(list->word, segments->word, sizeof(list->word)) == 0 ? 0
													     : -EEXIST;
	i = length < SEGMENT_CHAIN_MAX ? find_free(lists, fingerprint) : 0;
	if (!i)
		return -ENOBUFS;
	list = &lists->at[i];
	*list = (struct segment_list){.fingerprint = fingerprint, .next = *head, .n = segments->n};
	memcpy(list->word, segments->word, sizeof(list->word));
	STORE(*head, i);
	return 0;
}

void segments_unlink_unused(struct segment_lists *lists, bool (*is_used)(void *data, __u64 fingerprint), void *data)
{
	for (unsigned head = 0; head < SEGMENT_HEADS; head++) {
		__u32 *from = &lists->head[head];

		while (*from) {
			struct segment_list *list = &lists->at[*from & (SEGMENT_LISTS - 1)];

			if (is_used(data, list->fingerprint)) {
				from = &list->next;
				continue;
			}
			STORE(*from, list->next);
			list->fingerprint = 0; /* segments_reclaim() knows it by this. */
		}
	}
}

void segments_reclaim(struct segment_lists *lists)
{
	for (unsigned i = 1; i < SEGMENT_LISTS; i++)
		if (lists->at[i].n && !lists->at[i].fingerprint)
			lists->at[i].n = 0;
}
