/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_number - operations on numbers of 64 bits, as the language defines them. */
#ifndef MEALY_JUDGE_NUMBER_H
#define MEALY_JUDGE_NUMBER_H

#include "../../tables/expr.h"

/* 'is_signed': an int takes part; of a shift, its left side is one. */
uint64_t judge_compute(enum expr_op op, uint64_t a, uint64_t b, bool is_signed);
uint64_t judge_min(uint64_t a, uint64_t b, bool is_signed);

uint64_t judge_avg(uint64_t mean, uint64_t n, uint64_t x);
uint64_t judge_var(uint64_t var, uint64_t mean, uint64_t n, uint64_t x);
uint64_t judge_ewma(uint64_t old, uint64_t x, uint64_t weight);

#endif
