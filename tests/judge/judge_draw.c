/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is drawn when a packet enters a table, whatever rule is chosen. */
#include <stdlib.h>
#include <string.h>

#include "judge_int.h"

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccd;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

/* The deployment of a test has the application's name. */
static uint64_t seed_of(const char *deployment)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	for (; *deployment; deployment++)
		seed = (seed ^ (unsigned char)*deployment) * 0x100000001b3;
	return seed;
}

static uint64_t hash(const struct visit *v, const struct expr *call)
{
	uint64_t h = seed_of(v->run->judge->app->name);

	for (unsigned i = 0; i < call->n_args; i++) {
		struct judge_value x = judge_eval(v, call->arg[i]);

		if (call->arg[i]->type == TYPE_ADDR)
			h = mix(h ^ x.hi);
		h = mix(h ^ x.lo);
	}
	return h;
}

/* splitmix64 (Steele, Lea and Flood 2014). */
uint64_t judge_random(struct judge *j)
{
	uint64_t z = j->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void judge_remember(struct visit *v, const struct expr *call, uint64_t value)
{
	unsigned i = 0;

	while (i < v->n_draws && v->draw[i].call != call)
		i++;
	if (i == JUDGE_DRAWS)
		abort();
	v->draw[i] = (struct draw_of){call, value};
	v->n_draws += i == v->n_draws;
}

/* Lets that hash() names are not computed yet. */
static void draw_expr(struct visit *v, const struct expr *e)
{
	bool is_random;

	if (!e || e->constant)
		return;
	for (unsigned i = 0; i < e->n_args; i++)
		draw_expr(v, e->arg[i]);
	is_random = e->kind == EXPR_CALL && strcmp(e->name, "random") == 0;
	if (e->kind != EXPR_CALL || (!is_random && strcmp(e->name, "hash") != 0))
		return;
	judge_remember(v, e, is_random ? judge_random(v->run->judge) : hash(v, e));
}

static void draw_list(struct visit *v, const struct stmt_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		draw_expr(v, list->item[i].value);
}

static void draw_learn(struct visit *v, const struct app_learn *learn)
{
	if (!learn)
		return;
	draw_expr(v, learn->first);
	for (size_t i = 0; i < learn->n_key; i++)
		draw_expr(v, learn->key[i]);
	for (size_t i = 0; i < learn->n_sets; i++)
		draw_expr(v, learn->set[i].value);
	draw_list(v, &learn->otherwise);
}

void judge_draw(struct visit *v)
{
	for (size_t i = 0; i < v->app->n_lets; i++)
		draw_expr(v, v->app->let[i].expr);
	for (size_t i = 0; i < v->app->n_rules; i++) {
		draw_expr(v, v->app->rule[i].when);
		draw_list(v, &v->app->rule[i].do_);
		draw_learn(v, v->app->rule[i].learn);
		draw_learn(v, v->app->rule[i].allocate);
		draw_list(v, &v->app->rule[i].action);
	}
	draw_list(v, &v->app->otherwise);
	draw_list(v, &v->app->absent);
}
