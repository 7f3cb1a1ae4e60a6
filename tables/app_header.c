/* SPDX-License-Identifier: GPL-2.0-or-later */
/* headers: what the application declares behind the headers that the parser knows. */
#include <ctype.h>
#include <inttypes.h>

#include "app_check.h"

#define NEED(x) (1ULL << PRESENT_##x)
#define NEED_L4 (NEED(L4) | NEED(TCP) | NEED(UDP) | NEED(ICMP) | NEED(ICMPV6) | NEED(ND) | NEED(ND_LINK))
#define NEED_INNER                                                                                                     \
	(NEED(INNER_IP) | NEED(INNER_TCP) | NEED(INNER_UDP) | NEED(INNER_L4) | NEED(INNER_ICMP) | NEED(MPLS) |         \
	 NEED(VXLAN))
#define NEED_IP                                                                                                        \
	(NEED(IP) | NEED(IPV4) | NEED(IPV6) | NEED(HOPOPTS) | NEED(ROUTING) | NEED(FRAG6) | NEED(DSTOPTS) |            \
	 NEED(FRAGMENT) | NEED(SRH))

/* An offset in a load or step is a byte. */
enum { HEADER_END_MAX = 256, FIELD_BYTES_MAX = 8, FIELD_BITS_MAX = 64 };

/* ---- fields ---- */

/* "NAME bits"; the place is given when all are known. */
static bool read_field(struct checker *c, const struct app_header *header, const struct yaml_node *node,
		       struct field *ret_field)
{
	const char *text = node_text(c, node, "a field like \"version 4\""), *blank = text ? strchr(text, ' ') : NULL;
	struct yaml_node name = *node;
	unsigned long bits;
	char *end;

	if (!text)
		return false;
	bits = blank && isdigit((unsigned char)blank[1]) ? strtoul(blank + 1, &end, 10) : 0;
	if (!bits || *end || bits > FIELD_BITS_MAX) {
		ERROR(c, node->loc, "\"%s\": a field is written with its bits, 1 to %d, like \"version 4\"", text,
		      FIELD_BITS_MAX);
		return false;
	}
	name.text = arena_strndup(c->arena, text, blank - text);
	if (!node_name(c, &name, "the name of a field", false))
		return false;
	*ret_field = (struct field){.name = arena_printf(c->arena, "%s.%s", header->name, name.text),
				    .text = "declared by the application",
				    .type = TYPE_U64,
				    .bits = bits,
				    .writable = true};
	for (size_t i = 0; i < header->n_fields; i++)
		if (strcmp(header->field[i].name, ret_field->name) == 0) {
			ERROR(c, node->loc, "field \"%s\" is declared twice", ret_field->name);
			return false;
		}
	return true;
}

/* Loads have 1, 2, 4, 6 or 8 bytes: a field of another number takes a neighbour's byte with it.  Returns the bytes, or
 * 0 (reported). */
static unsigned window(struct checker *c, const struct app_header *header, const struct field *field, unsigned at,
		       struct loc loc, unsigned *first)
{
	unsigned last = (at + field->bits - 1) / 8, bytes;

	*first = at / 8;
	bytes = last - *first + 1;
	if (bytes > FIELD_BYTES_MAX) {
		ERROR(c, loc, "\"%s\" begins within a byte and would straddle 9; declare it as two fields",
		      field->name);
		return 0;
	}
	if (bytes == 1 || bytes % 2 == 0)
		return bytes;
	if (*first > 0)
		(*first)--;
	else if (last + 1 == header->size) {
		ERROR(c, loc, "\"%s\" fills a header of %u bytes; declare it as two fields", field->name, bytes);
		return 0;
	}
	return bytes + 1;
}

static bool place_field(struct checker *c, const struct app_header *header, struct field *field, unsigned at,
			struct loc loc)
{
	unsigned number = c->app->n_headers, first, bytes = window(c, header, field, at, loc, &first);
	__u64 mask = field->bits >= 64 ? ~0ULL : (1ULL << field->bits) - 1;
	__u8 csum = header->base == BASE_L3 ? CSUM_NONE : CSUM_L4;

	if (!bytes)
		return false;
	field->needs = 1ULL << (PRESENT_CUSTOM + number);
	field->load =
		(struct load){.kind = LOAD_BITS, .base = header->base, .need = PRESENT_CUSTOM + number, .mask = mask};
	field->load.size = field->load.size6 = bytes;
	field->load.shift = field->load.shift6 = (first + bytes) * 8 - at - field->bits;
	field->load.off = field->load.off6 = header->off + first;
	field->step =
		(struct step){.code = STEP_BITS, .base = header->base, .need = PRESENT_CUSTOM + number, .mask = mask};
	field->step.size = field->step.size6 = bytes;
	field->step.shift = field->step.shift6 = field->load.shift;
	field->step.off = field->step.off6 = field->load.off;
	field->step.csum = field->step.csum6 = csum;
	return true;
}

static bool check_size(struct checker *c, const struct yaml_node *list, struct app_header *header)
{
	unsigned bits = 0;

	for (size_t i = 0; i < header->n_fields; i++)
		bits += header->field[i].bits;
	header->size = bits / 8;
	if (bits % 8) {
		ERROR(c, list->loc, "header \"%s\" has %u bits; a header ends with a whole byte", header->name, bits);
		return false;
	}
	if (header->off + header->size > HEADER_END_MAX) {
		ERROR(c, list->loc,
		      "header \"%s\" ends %u bytes behind the last header the parser knows; at most %d can be "
		      "reached",
		      header->name, header->off + header->size, HEADER_END_MAX);
		return false;
	}
	return true;
}

static bool check_fields(struct checker *c, const struct yaml_node *list, struct app_header *header)
{
	unsigned at = 0;
	bool good = true;

	if (!node_is_list(c, list, "fields"))
		return false;
	if (!list->n || list->n > HEADER_FIELDS_MAX) {
		ERROR(c, list->loc, "header \"%s\" has %zu fields; it must be 1 to %d", header->name, list->n,
		      HEADER_FIELDS_MAX);
		return false;
	}
	header->field = arena_alloc_array(c->arena, list->n, sizeof(*header->field));
	for (size_t i = 0; i < list->n; i++) {
		if (read_field(c, header, list->item[i], &header->field[header->n_fields]))
			header->n_fields++;
		else
			good = false;
	}
	if (!good || !check_size(c, list, header))
		return false;
	for (size_t i = 0; i < header->n_fields; i++) {
		good &= place_field(c, header, &header->field[i], at, list->item[i]->loc);
		at += header->field[i].bits;
	}
	return good;
}

/* ---- after ---- */

/* How far inside a packet the header of a matched field lies. */
enum depth { DEPTH_NONE, DEPTH_ETH, DEPTH_IP, DEPTH_L4, DEPTH_DECLARED };

static enum depth depth_of(const struct field *field)
{
	if (field_is_declared(field))
		return DEPTH_DECLARED;
	if (field->needs & NEED_L4)
		return DEPTH_L4;
	return field->needs & NEED_IP ? DEPTH_IP : DEPTH_ETH;
}

static bool allows(const struct match *m, uint64_t value)
{
	for (size_t i = 0; i < m->n_alts; i++)
		if (m->alt[i].kind == PATTERN_RANGE ? value >= m->alt[i].lo && value <= m->alt[i].last
						    : (value & m->alt[i].mask_lo) == m->alt[i].lo)
			return !m->negate;
	return m->negate;
}

static bool check_after(struct checker *c, const struct match *m)
{
	/* Known when a packet comes; `now` and `direction` are not. */
	if (m->ref.kind == REF_META && (m->ref.cell == CELL_IN_PORT || m->ref.cell == CELL_OUT_PORT ||
					m->ref.cell == CELL_LENGTH || m->ref.cell == CELL_HOOK))
		return true;
	if (m->ref.kind != REF_FIELD) {
		ERROR(c, m->loc, "\"%s\": a header follows fields of the packet, nothing else", m->text);
		return false;
	}
	if (m->ref.field->needs & NEED(ARP)) {
		ERROR(c, m->loc, "\"%s\": nothing follows ARP", m->text);
		return false;
	}
	if (m->ref.field->needs & NEED_INNER) {
		ERROR(c, m->loc, "\"%s\": a declared header cannot follow this one", m->text);
		return false;
	}
	if (strcmp(m->ref.field->name, "eth.type") == 0 && (allows(m, 0x0800) || allows(m, 0x86dd))) {
		ERROR(c, m->loc, "\"%s\": what follows this ethertype is IP, which has fields of its own (ip.src, ...)",
		      m->text);
		return false;
	}
	return true;
}

/* Where the header begins: behind the innermost header that `after` looks at. */
static bool place_header(struct checker *c, const struct yaml_node *node, struct app_header *header)
{
	static const enum pkt_base bases[] = {
		[DEPTH_ETH] = BASE_L3, [DEPTH_IP] = BASE_L4, [DEPTH_L4] = BASE_PAYLOAD, [DEPTH_DECLARED] = BASE_MAX};
	enum depth depth = DEPTH_NONE;

	for (size_t i = 0; i < header->n_after; i++) {
		const struct field *field = header->after[i].ref.kind == REF_FIELD ? header->after[i].ref.field : NULL;
		int parent = field && field_is_declared(field) ? field->load.need - PRESENT_CUSTOM : -1;

		if (field && depth_of(field) > depth)
			depth = depth_of(field);
		/* A later one follows an earlier one, if there is a chain. */
		if (parent > header->parent)
			header->parent = parent;
	}
	if (depth == DEPTH_NONE) {
		ERROR(c, node->loc,
		      "\"after\" must say what the header follows, like {udp.dst: 4789}, {ip.proto: 47} or {eth.type: "
		      "0x88b5}");
		return false;
	}
	header->base = bases[depth];
	if (depth == DEPTH_DECLARED) {
		const struct app_header *parent = &c->app->header[header->parent];

		header->base = parent->base;
		header->off = parent->off + parent->size;
	}
	return true;
}

/* ---- declarations ---- */

static bool check_name(struct checker *c, const struct yaml_node *key, struct app_header *header)
{
	enum value_type type;
	uint64_t needs, value;

	header->name = node_name(c, key, "the name of a header", false);
	if (!header->name)
		return false;
	/* Header and protocol may share a name, as tcp does. */
	if ((name_find_header(c->app, header->name) >= 0 ||
	     name_find_constant(TYPE_U64, header->name, &type, &value) < 0) &&
	    !name_check_free(c, key->loc, header->name, "header"))
		return false;
	if (header_find(header->name, &needs) == 0 || field_is_planned(arena_printf(c->arena, "%s.", header->name))) {
		ERROR(c, key->loc, "header \"%s\" would hide the language's own of that name", header->name);
		return false;
	}
	return true;
}

static void declare(struct checker *c, const struct yaml_node *key, const struct yaml_node *map)
{
	static const char *const keys[] = {"after", "fields", NULL};
	struct app_header header = {.loc = key->loc, .parent = -1};
	struct yaml_node *after, *fields;
	bool good = true;

	if (!check_name(c, key, &header) || !node_check_keys(c, map, "a header", keys, NULL))
		return;
	after = yaml_get(map, "after");
	fields = yaml_get(map, "fields");
	if (!after || !fields) {
		ERROR(c, key->loc, "header \"%s\" needs \"%s\"", header.name, after ? "fields" : "after");
		return;
	}
	match_check(c, after, &header.after, &header.n_after);
	good = header.n_after == after->n; /* Else it was reported. */
	for (size_t i = 0; i < header.n_after; i++)
		good &= check_after(c, &header.after[i]);
	if (!good || !place_header(c, after, &header) || !check_fields(c, fields, &header))
		c->planned = true; /* Its fields are not known, so all that names them would be reported. */
	GROW(c, c->app->header, c->app->n_headers);
	c->app->header[c->app->n_headers++] = header;
}

void app_check_headers(struct checker *c, const struct yaml_node *map)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected headers as \"NAME: {after: MATCH, fields: [NAME bits, ...]}\"");
		return;
	}
	if (map->n > CUSTOM_MAX) {
		ERROR(c, map->loc, "%zu headers; at most %d fit in one application", map->n, CUSTOM_MAX);
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		declare(c, map->key[i], map->item[i]);
}
