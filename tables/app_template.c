/* SPDX-License-Identifier: GPL-2.0-or-later */
/* templates: packets that the switch makes.  Lengths and checksums of the bytes are made right here, so the datapath
 * changes them as it does a packet's. */
#include <ctype.h>

#include "app_check.h"

#define NEED(x) (1ULL << PRESENT_##x)

enum { ETHERNET = 14, ARP_BYTES = 28, IP4_BYTES = 20, IP6_BYTES = 40, TCP_BYTES = 20, UDP_BYTES = 8, ICMP_BYTES = 8 };

/* ---- what the bytes are ---- */

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t sum(uint32_t total, const uint8_t *at, unsigned size)
{
	for (unsigned i = 0; i + 1 < size; i += 2)
		total += get16(at + i);
	return size & 1 ? total + (at[size - 1] << 8) : total;
}

static unsigned fold(uint32_t total)
{
	total = (total & 0xffff) + (total >> 16);
	return ~(total + (total >> 16)) & 0xffff;
}

/* The L4 header at 'at', 'size' bytes with what follows; 'pseudo' is the sum of addresses. */
static uint64_t finish_l4(uint8_t *at, unsigned size, unsigned proto, bool ipv6, uint32_t pseudo)
{
	unsigned off;
	uint64_t present;

	pseudo += proto + size;
	if (proto == 6 && size >= TCP_BYTES) {
		off = 16;
		present = NEED(TCP) | NEED(L4);
	} else if (proto == 17 && size >= UDP_BYTES) {
		off = 6;
		put16(at + 4, size);
		present = NEED(UDP) | NEED(L4);
	} else if (proto == 1 && !ipv6 && size >= ICMP_BYTES) {
		off = 2;
		pseudo = 0;
		present = NEED(ICMP);
	} else if (proto == 58 && ipv6 && size >= ICMP_BYTES) {
		off = 2;
		present = NEED(ICMPV6);
		if ((at[0] == 135 || at[0] == 136) && size >= 24)
			present |= NEED(ND);
		if (present & NEED(ND) && size >= 32 && (at[24] == 1 || at[24] == 2) && at[25] == 1)
			present |= NEED(ND_LINK);
	} else {
		return 0;
	}
	put16(at + off, 0);
	put16(at + off, fold(sum(pseudo, at, size)));
	if (proto == 17 && !get16(at + off))
		put16(at + off, 0xffff);
	return present;
}

static uint64_t finish_ipv4(uint8_t *at, unsigned size)
{
	unsigned header = size >= IP4_BYTES ? (at[0] & 15) * 4 : 0;

	if (size < IP4_BYTES || at[0] >> 4 != 4 || header < IP4_BYTES || header > size || get16(at + 6) & 0x3fff)
		return 0;
	put16(at + 2, size);
	put16(at + 10, 0);
	put16(at + 10, fold(sum(0, at, header)));
	return NEED(IPV4) | NEED(IP) | finish_l4(at + header, size - header, at[9], false, sum(0, at + 12, 8));
}

static uint64_t finish_ipv6(uint8_t *at, unsigned size)
{
	if (size < IP6_BYTES || at[0] >> 4 != 6)
		return 0;
	put16(at + 4, size - IP6_BYTES);
	return NEED(IPV6) | NEED(IP) | finish_l4(at + IP6_BYTES, size - IP6_BYTES, at[6], true, sum(0, at + 8, 32));
}

/* The headers there are; 0: the bytes are none that the switch could send. */
static uint64_t finish(struct app_template *t)
{
	uint8_t *at = t->bytes + ETHERNET;
	unsigned size = t->size - ETHERNET;
	uint64_t inner;

	switch (get16(t->bytes + 12)) {
	case 0x0806:
		if (size < ARP_BYTES || memcmp(at, "\0\1\x8\0\6\4", 6) != 0)
			return 0;
		return NEED(ETH) | NEED(ARP);
	case 0x0800: inner = finish_ipv4(at, size); break;
	case 0x86dd: inner = finish_ipv6(at, size); break;
	case 0x8100:
	case 0x88a8: return 0;
	default: return NEED(ETH);
	}
	return inner ? inner | NEED(ETH) : 0;
}

/* ---- declarations ---- */

static bool read_bytes(struct checker *c, const struct yaml_node *node, struct app_template *t)
{
	const char *text = node_text(c, node, "bytes in hexadecimal digits");
	unsigned digits = 0;

	if (!text)
		return false;
	t->bytes_text = arena_strdup(c->arena, text);
	for (const char *p = text; *p; p++) {
		const char *hex = "0123456789abcdef", *at = strchr(hex, tolower((unsigned char)*p));

		if (*p == ' ')
			continue;
		if (!at || digits / 2 >= TEMPLATE_BYTES) {
			ERROR(c, node->loc,
			      at ? "a template has at most %d bytes"
				 : "bytes are hexadecimal digits and blanks, at most %d bytes",
			      TEMPLATE_BYTES);
			return false;
		}
		t->bytes[digits / 2] = t->bytes[digits / 2] << 4 | (at - hex);
		digits++;
	}
	t->size = digits / 2;
	if (digits & 1 || t->size < ETHERNET) {
		ERROR(c, node->loc, "%u hexadecimal digits; a template is whole bytes, at least Ethernet's %d", digits,
		      ETHERNET);
		return false;
	}
	t->present = finish(t);
	if (!t->present)
		ERROR(c, node->loc,
		      "these bytes are no packet: Ethernet without tags, then ARP, whole IPv4 or IPv6 without "
		      "extension "
		      "headers, or another type");
	return t->present;
}

/* One of `set`, with an expression that belongs to nobody yet. */
static bool read_set(struct checker *c, const struct yaml_node *key, const struct yaml_node *node, struct stmt *ret)
{
	*ret = (struct stmt){.kind = STMT_ASSIGN, .implicit = true, .loc = key->loc};
	ret->lhs = arena_alloc(c->arena, sizeof(*ret->lhs));
	*ret->lhs = (struct expr){.kind = EXPR_NAME,
				  .loc = key->loc,
				  .width = strlen(key->text),
				  .name = arena_strdup(c->arena, key->text)};
	if (!node_text(c, node, "an expression"))
		return false;
	ret->value = expr_parse_yaml(c->arena, node, c->diags);
	return ret->value;
}

static void check_set(struct checker *c, struct app_template *t)
{
	for (size_t i = 0; t->set_node && i < t->set_node->n; i++) {
		const struct yaml_node *key = t->set_node->key[i];
		const struct field *field = field_find(key->text);
		struct stmt stmt;

		t->good &= read_set(c, key, t->set_node->item[i], &stmt);
		if (!field || !field->writable)
			ERROR(c, key->loc, field ? "\"%s\" can only be read" : "there is no field \"%s\"", key->text);
		else if (field->needs & ~t->present)
			ERROR(c, key->loc, "template \"%s\" has no \"%s\"", t->name, key->text);
		t->good &= field && field->writable && !(field->needs & ~t->present);
		GROW(c, t->set.item, t->set.n);
		t->set.item[t->set.n++] = stmt;
	}
}

static void declare(struct checker *c, const struct yaml_node *key, const struct yaml_node *map)
{
	static const char *const keys[] = {"bytes", "set", NULL};
	struct app_template t = {.loc = key->loc};
	struct yaml_node *bytes;

	t.name = node_name(c, key, "the name of a template", false);
	if (!t.name || !name_check_free(c, key->loc, t.name, "template") ||
	    !node_check_keys(c, map, "a template", keys, NULL))
		return;
	bytes = yaml_get(map, "bytes");
	t.set_node = yaml_get(map, "set");
	if (!bytes)
		ERROR(c, key->loc, "template \"%s\" needs \"bytes\"", t.name);
	t.good = bytes && read_bytes(c, bytes, &t);
	if (t.set_node && t.set_node->kind != YAML_MAP) {
		ERROR(c, t.set_node->loc, "expected \"set\" as {FIELD: expression, ...}");
		t.good = false;
	} else if (t.good) {
		check_set(c, &t);
	}
	GROW(c, c->app->template_, c->app->n_templates);
	c->app->template_[c->app->n_templates++] = t;
}

void app_check_templates(struct checker *c, const struct yaml_node *map)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected templates as \"NAME: {bytes: ..., set: {FIELD: expression}}\"");
		return;
	}
	if (map->n > TEMPLATES_MAX) {
		ERROR(c, map->loc, "%zu templates; at most %d fit on one hook", map->n, TEMPLATES_MAX);
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		declare(c, map->key[i], map->item[i]);
}

/* ---- uses ---- */

static struct app_template *find(struct checker *c, const struct stmt *use, unsigned *ret_index)
{
	const char *names[TEMPLATES_MAX];

	for (*ret_index = 0; *ret_index < c->app->n_templates; ++*ret_index) {
		struct app_template *t = &c->app->template_[*ret_index];

		if (strcmp(t->name, use->name) == 0)
			return t;
		names[*ret_index] = t->name;
	}
	ERROR(c, use->loc, "unknown template \"%s\"%s", use->name,
	      did_you_mean(c, use->name, names, c->app->n_templates));
	return NULL;
}

void template_use(struct checker *c, struct stmt *use, struct stmt_list *list)
{
	unsigned index;
	struct app_template *t = find(c, use, &index);

	if (!t || !t->good)
		return;
	t->used = true;
	use->target = index;
	use->makes = t->present;
	GROW(c, list->item, list->n);
	list->item[list->n++] = *use;
	/* Each use has expressions of its own: a name may mean another register in each table. */
	for (size_t i = 0; t->set_node && i < t->set_node->n; i++) {
		GROW(c, list->item, list->n);
		if (read_set(c, t->set_node->key[i], t->set_node->item[i], &list->item[list->n]))
			list->n++;
	}
	if (use->kind != STMT_EMIT)
		return;
	GROW(c, list->item, list->n);
	list->item[list->n++] =
		(struct stmt){.kind = STMT_EMITTED, .implicit = true, .loc = use->loc, .value = use->value};
}
