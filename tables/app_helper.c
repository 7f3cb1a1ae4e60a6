/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of avg(), var() and ewma(). */
#include "app_check.h"

static const struct helper {
	const char *name, *arguments;
	unsigned n_args;
} helpers[] = {
	{"avg", "mean, count and sample", 3},
	{"var", "variance, mean, count and sample", 4},
	{"ewma", "the old value, a sample and the weight of the old value", 3},
};

static const struct helper *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++)
		if (strcmp(helpers[i].name, name) == 0)
			return &helpers[i];
	return NULL;
}

bool helper_find(const char *name)
{
	return find(name) != NULL;
}

static bool check_number(struct checker *c, const struct expr *call, const struct expr *arg)
{
	enum value_type type = arg->type;

	if (type_is_plain(type) || type == TYPE_SIZE || type == TYPE_DURATION || type == TYPE_RATE)
		return true;
	ERROR(c, arg->loc, "%s() of %s makes no sense", call->name, type_noun(type));
	return false;
}

static bool check_weight(struct checker *c, const struct expr *arg)
{
	if (arg->type != TYPE_FRACTION || !arg->constant)
		ERROR(c, arg->loc, "the weight of ewma() is a constant fraction like 0.875, not %s",
		      type_noun(arg->type));
	else if (!arg->value || arg->value >= 1000)
		ERROR(c, arg->loc, "the weight of ewma() lies between 0 and 1");
	else
		return true;
	return false;
}

bool helper_check(struct checker *c, struct expr *e)
{
	const struct helper *helper = find(e->name);
	bool weighted = strcmp(e->name, "ewma") == 0, is_signed = false;

	if (e->n_args != helper->n_args) {
		ERROR(c, e->loc, "%s() takes %s", e->name, helper->arguments);
		return false;
	}
	for (unsigned i = 0; i < e->n_args; i++) {
		if (weighted && i == 2 ? !check_weight(c, e->arg[i]) : !check_number(c, e, e->arg[i]))
			return false;
		is_signed |= e->arg[i]->type == TYPE_INT;
	}
	/* A count has no sign to give, and a variance is never below 0. */
	e->type = is_signed && strcmp(e->name, "var") != 0 ? TYPE_INT : TYPE_U64;
	return true;
}
