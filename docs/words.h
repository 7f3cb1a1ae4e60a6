/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words - a sentence and an example for each word of the language that needs one. */
#ifndef MEALY_DOCS_WORDS_H
#define MEALY_DOCS_WORDS_H

struct word {
	const char *name;
	const char *form;    /* As it is written: "min(a, b)". */
	const char *text;    /* What it means. */
	const char *example; /* A rule without its braces. */
};

/* All end with a name of NULL. */
extern const struct word helper_words[], step_words[], verdict_words[], meta_words[], operator_words[];

/* NULL if there is none. */
const struct word *word_find(const struct word *words, const char *name);

#endif
