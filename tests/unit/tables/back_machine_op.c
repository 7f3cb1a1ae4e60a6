/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "back_machine_op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- packet --------------------------------------------------------------------------------- */

static const struct part *find_part(const struct part *part, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(part[i].name, name) == 0)
			return &part[i];
	return NULL;
}

/* The name of the field that is loaded (or written) like this; NULL for metadata words. */
static const struct field *field_of_load(const struct load *load)
{
	for (size_t i = 0; i < n_fields; i++) {
		struct load other = fields[i].load;

		other.dst = load->dst;
		if (memcmp(&other, load, sizeof(other)) == 0)
			return &fields[i];
	}
	return NULL;
}

static uint64_t derived(uint64_t present)
{
	if (present & (1ULL << PRESENT_IPV4 | 1ULL << PRESENT_IPV6))
		present |= 1ULL << PRESENT_IP;
	if (present & (1ULL << PRESENT_TCP | 1ULL << PRESENT_UDP))
		present |= 1ULL << PRESENT_L4;
	if (present & 1ULL << PRESENT_ND_LINK)
		present |= 1ULL << PRESENT_ND;
	if (present & (1ULL << PRESENT_INNER_TCP | 1ULL << PRESENT_INNER_L4 | 1ULL << PRESENT_INNER_ICMP))
		present |= 1ULL << PRESENT_INNER_IP;
	return present | 1ULL << PRESENT_ETH;
}

void machine_set_meta(struct machine *m, const struct part *part, size_t n)
{
	static const struct {
		const char *name;
		unsigned cell;
	} whole[] = {
		{"in_port", CELL_IN_PORT},
		{"length", CELL_LENGTH},
		{"frames", CELL_FRAMES},
		{"ip.proto", CELL_IP_PROTO},
		{"eth.type", CELL_ETH_TYPE},
		{"present", CELL_PRESENT},
		{"ip.frag_offset", CELL_FRAG_OFFSET},
	};
	uint64_t present = 0;

	memset(m->cells, 0, sizeof(m->cells));
	m->cells[CELL_NOW] = m->now_ns;
	m->cells[CELL_FRAMES] = 1;
	m->cells[CELL_LENGTH] = 100;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		const struct part *p = find_part(part, n, whole[i].name);

		if (p)
			m->cells[whole[i].cell] = p->lo;
	}
	for (size_t i = 0; i < n; i++) {
		const struct field *f = field_find(part[i].name);

		present |= f ? f->needs : 0;
		if (f && f->type == TYPE_ADDR && strncmp(part[i].name, "ip.", 3) == 0)
			present |= 1ULL << (part[i].hi ? PRESENT_IPV6 : PRESENT_IPV4);
	}
	if (m->cells[CELL_IP_PROTO] == 6 || m->cells[CELL_IP_PROTO] == 17)
		present |= 1ULL << (m->cells[CELL_IP_PROTO] == 6 ? PRESENT_TCP : PRESENT_UDP);
	if (find_part(part, n, "in_port"))
		present |= 1ULL << PRESENT_IN_PORT;
	m->cells[CELL_PRESENT] |= derived(present);
}

void machine_run_loads(struct machine *m, const struct table *t, const struct part *part, size_t n)
{
	for (unsigned i = 0; i < t->n_loads; i++) {
		const struct load *load = &t->loads[i];
		const struct field *f = field_of_load(load);
		const struct part *p;

		assert_non_null(f);
		p = find_part(part, n, f->name);
		if (f->type == TYPE_ADDR) {
			m->cells[load->dst] = p ? p->hi : 0;
			m->cells[load->dst + 1] = p ? p->lo : 0;
		} else {
			m->cells[load->dst] = p ? p->lo : 0;
		}
	}
}

/* A load of a declared header's field: what the packet is said to hold, if the header is there. */
static void load_declared(struct machine *m, const struct op *op)
{
	const struct load *load = &m->at->loads[op->imm];

	assert_true(op->imm >= m->at->n_loads && op->imm < LOADS_MAX);
	m->cells[load->dst] = 0;
	for (unsigned h = 0; h < m->app->n_headers; h++)
		for (unsigned i = 0; i < m->app->header[h].n_fields; i++) {
			const struct field *f = &m->app->header[h].field[i];
			const struct part *p = find_part(m->part, m->n_parts, f->name);
			struct load other = f->load;

			other.dst = load->dst;
			if (memcmp(&other, load, sizeof(other)) == 0 && p && m->cells[CELL_PRESENT] >> load->need & 1)
				m->cells[load->dst] = p->lo;
		}
}

static void find_header(struct machine *m, const struct op *op)
{
	uint64_t bit = 1ULL << op->b;

	assert_true(op->b >= PRESENT_CUSTOM && op->b < PRESENT_CUSTOM + CUSTOM_MAX);
	m->cells[CELL_PRESENT] &= ~bit;
	if (m->cells[op->a])
		m->cells[CELL_PRESENT] |= bit;
}

/* ---- globals -------------------------------------------------------------------------------- */

void machine_load_globals(struct machine *m, const struct table *t)
{
	for (unsigned i = 0; i < t->n_globals; i++)
		m->cells[t->globals[i].cell] = m->global[t->globals[i].global];
}

static void run_global(struct machine *m, const struct op *op, uint64_t b)
{
	uint64_t *global = &m->global[op->global];

	switch (op->code) {
	case OP_GLOBAL_ADD: *global += b; break;
	case OP_GLOBAL_AND: *global &= b; break;
	case OP_GLOBAL_OR: *global |= b; break;
	case OP_GLOBAL_SET: *global = b; break;
	case OP_GLOBAL_MAX: *global = *global > b ? *global : b; break;
	}
	m->cells[op->dst] = *global;
}

/* ---- operations ----------------------------------------------------------------------------- */

static uint64_t compute(enum op_code code, uint64_t a, uint64_t b, uint64_t present)
{
	switch ((unsigned)code) {
	case OP_MOV: return b;
	case OP_ADD: return a + b;
	case OP_SUB: return a - b;
	case OP_MUL: return a * b;
	case OP_DIV: return b ? a / b : a ? ~0ULL : 0;
	case OP_MOD: return b ? a % b : 0;
	case OP_AND: return a & b;
	case OP_OR: return a | b;
	case OP_XOR: return a ^ b;
	case OP_SHL: return b > 63 ? 0 : a << b;
	case OP_SHR: return b > 63 ? 0 : a >> b;
	case OP_MIN: return a < b ? a : b;
	case OP_MAX: return a > b ? a : b;
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_SLT: return (int64_t)a < (int64_t)b;
	case OP_SLE: return (int64_t)a <= (int64_t)b;
	case OP_SMIN: return (int64_t)a < (int64_t)b ? a : b;
	case OP_SMAX: return (int64_t)a > (int64_t)b ? a : b;
	case OP_SAR: return (int64_t)a >> (b > 63 ? 63 : b);
	case OP_SDIV: return b ? (uint64_t)((__int128_t)(int64_t)a / (int64_t)b) : a ? ~0ULL : 0;
	case OP_SMOD: return b ? (uint64_t)((__int128_t)(int64_t)a % (int64_t)b) : 0;
	case OP_SEQ_LT: return (int32_t)((uint32_t)a - (uint32_t)b) < 0;
	case OP_SEQ_LE: return (int32_t)((uint32_t)a - (uint32_t)b) <= 0;
	case OP_HAS: return (present & b) == b;
	}
	fail_msg("operation %d", code);
	return 0;
}

uint64_t machine_hash(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 33;
}

static void biflow_l4(struct machine *m, const struct op *op)
{
	const __u64 *in = &m->cells[op->a];
	__u64 src[3] = {in[0], in[1], in[4]}, dst[3] = {in[2], in[3], in[5]};
	bool swap = src[0] != dst[0] ? src[0] > dst[0] : src[1] != dst[1] ? src[1] > dst[1] : src[2] > dst[2];
	const __u64 *a = swap ? dst : src, *b = swap ? src : dst;
	__u64 out[6] = {a[0], a[1], b[0], b[1], a[2], b[2]};

	memcpy(&m->cells[op->dst], out, sizeof(out));
	m->cells[CELL_DIRECTION] = swap;
}

static void run_op(struct machine *m, const struct op *op)
{
	__u64 a = m->cells[op->a], b = op->flags & OP_IMM ? op->imm : m->cells[op->b], c = a;

	if (op->flags & OP_SWAP) {
		a = b;
		b = c;
	}
	if (op->code >= OP_GLOBAL_FIRST) {
		run_global(m, op, b);
		return;
	}
	switch (op->code) {
	case OP_HEADER: find_header(m, op); break;
	case OP_LOAD: load_declared(m, op); break;
	case OP_BIFLOW_L4: biflow_l4(m, op); break;
	case OP_RANDOM: m->cells[op->dst] = ++m->n_draws; break;
	case OP_HASH_INIT: m->cells[op->dst] = b; break;
	case OP_HASH_ADD: m->cells[op->dst] = machine_hash(a, b); break;
	default: m->cells[op->dst] = compute(op->code, a, b, m->cells[CELL_PRESENT]); break;
	}
}

void machine_run_ops(struct machine *m, const struct table *t, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		run_op(m, &t->ops[first + i]);
}
