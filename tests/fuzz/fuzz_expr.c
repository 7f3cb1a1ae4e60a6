// SPDX-License-Identifier: GPL-2.0-or-later
/* Expressions and statements: what is read is printed with the fewest parentheses and read again as the same tree;
 * and the same text stands in an application that has a bit of everything, so that names and types are met too. */
#include <string.h>

#include "app_checks.h"
#include "common/arena.h"
#include "common/cleanup.h"
#include "fuzz.h"

enum { ARENA_BYTES = 1 << 24, APP_ROOM = 16384 };

enum place { PLACE_WHEN, PLACE_DO, PLACE_ACTION, PLACE_LET, PLACE_IDLE, PLACE_MATCH, PLACE_MAX };

/* ---- by itself ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_expr(const struct expr *a, const struct expr *b)
{
	if (!a || !b)
		return a == b;
	if (a->kind != b->kind || a->op != b->op || a->hi != b->hi || a->value != b->value ||
	    a->prefix_len != b->prefix_len || a->n_args != b->n_args || a->type != b->type)
		return false;
	if ((a->kind == EXPR_NAME || a->kind == EXPR_CALL) && !same_text(a->name, b->name))
		return false;
	for (unsigned i = 0; i < a->n_args; i++)
		if (!same_expr(a->arg[i], b->arg[i]))
			return false;
	return true;
}

static bool same_stmts(const struct stmt_list *a, const struct stmt_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct stmt *x = &a->item[i], *y = &b->item[i];

		if (x->kind != y->kind || x->verdict != y->verdict || x->op != y->op || !same_text(x->name, y->name) ||
		    !same_expr(x->lhs, y->lhs) || !same_expr(x->value, y->value))
			return false;
	}
	return true;
}

static void check_expr(struct arena *arena, const char *text, struct diag_list *diags)
{
	struct expr *e = expr_parse(arena, text, (struct loc){1, 1}, diags), *again;
	_cleanup_free_ char *printed = NULL;

	CHECK(e || diags->n_errors);
	if (!e)
		return;
	CHECK(!diags->n_errors);
	printed = expr_render(e);
	CHECK(printed);
	if (strlen(printed) > EXPR_TEXT_MAX)
		return;
	again = expr_parse(arena, printed, (struct loc){1, 1}, diags);
	CHECK(again && same_expr(e, again));
}

static void check_stmts(struct arena *arena, const char *text, bool is_action, struct diag_list *diags)
{
	_cleanup_free_ char *printed = NULL;
	struct stmt_list list, again;

	if (stmt_parse(arena, text, (struct loc){1, 1}, is_action, diags, &list) < 0) {
		CHECK(diags->n_errors);
		return;
	}
	CHECK(!diags->n_errors);
	printed = stmt_render(&list);
	CHECK(printed);
	if (strlen(printed) > EXPR_TEXT_MAX || list.n == 0)
		return;
	CHECK(stmt_parse(arena, printed, (struct loc){1, 1}, is_action, diags, &again) == 0);
	CHECK(same_stmts(&list, &again));
}

static void check_alone(enum place place, const char *text)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct diag_list diags;

	CHECK(arena);
	diag_init(&diags, "t");
	if (place == PLACE_DO || place == PLACE_ACTION)
		check_stmts(arena, text, place == PLACE_ACTION, &diags);
	else
		check_expr(arena, text, &diags);
	diag_done(&diags);
	arena_free(arena);
}

/* ---- in an application ---- */

/* The place's text is put between single quotes, in which YAML doubles them and nothing else. */
static void check_inside(enum place place, const char *text)
{
	static const char *const format[PLACE_MAX] = {
		[PLACE_WHEN] = "when: %s",     [PLACE_DO] = "do: %s",
		[PLACE_ACTION] = "action: %s", [PLACE_LET] = "when: l == 1 or c",
		[PLACE_IDLE] = "state: B",     [PLACE_MATCH] = "match: {l4.dst: %s, ip.src: net}",
	};
	char quoted[2 * EXPR_TEXT_MAX + 3], rule[2 * EXPR_TEXT_MAX + 64], app[APP_ROOM];
	char *to = quoted;
	int n;

	*to++ = '\'';
	for (const char *from = text; *from && to < quoted + sizeof(quoted) - 4; from++) {
		*to++ = *from;
		if (*from == '\'')
			*to++ = '\'';
	}
	strcpy(to, "'");
	snprintf(rule, sizeof(rule), format[place], quoted);
	n = snprintf(app, sizeof(app),
		     "app: a\nparameters: {p: 5, list: [1, 2-9], net: 10.0.0.0/8, mark: ip.dscp, lan: port}\n"
		     "variables: [v, addr w]\ntables:\n"
		     "  - name: t\n    let: {c: %s, l: p * 2}\n"
		     "    state: {lookup: [ip.src], update: [ip.dst], capacity: 4, states: [A, {name: B, idle: %s}],\n"
		     "      registers: [n, time start, addr peer, port way]}\n"
		     "    rules: [{state: A, next: B, action: v = 3; w = ip.src}, {%s}]\n"
		     "  - {name: u, rules: [{when: v == t.n}]}\n",
		     place == PLACE_LET ? quoted : "now > start", place == PLACE_IDLE ? quoted : "5s", rule);
	app_check_text(app, n);
}

void fuzz_seeds(void)
{
	static const char *const seeds[] = {
		"\0n + p * 2 == (l4.dst & 0xff) and not has(vlan) or ip.src in net",
		"\0now - start > 5s or seq_lt(tcp.seq, n) or tcp.flags & syn != 0",
		"\0l4.dst in [80, 443, 1000-2000] and l4.dst in list and eth.src == 02:00:00:00:00:01",
		"\1n += 1; start = now; peer = ip.src; n |= hash(ip.src, l4.dst) % 16; way = in_port",
		"\1n = max(n, length) << 2 ^ ~v; start -= 10ms",
		"\2ip.ttl -= 1; push(vlan); vlan.id = v + 1; notify; output(lan)",
		"\2eth.dst = eth.src; pop(vlan); controller; goto(u)",
		"\3min(n, 5) * 8 * 1s / 10Mbps > now - start",
		"\4p * 1s + 100ms",
		"\5not [80, 443, 1000-2000]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
		fuzz_seed(seeds[i], 1 + strlen(seeds[i] + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	enum place place = bytes_u8(&in) % PLACE_MAX;
	_cleanup_free_ char *text = bytes_text(&in);

	check_alone(place, text);
	if (strlen(text) <= EXPR_TEXT_MAX)
		check_inside(place, text);
	return 0;
}
