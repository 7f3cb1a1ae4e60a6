/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the SQLite store share. */
#ifndef MEALY_STORE_INT_H
#define MEALY_STORE_INT_H

#include <sqlite3.h>

#include "store.h"

struct store {
	sqlite3 *db;
	int lock_fd;
	char error[256];
};

/* "mealy" tells our file from others. */
enum { STORE_APPLICATION_ID = 0x6d656c79 };

int db_exec(struct store *store, const char *sql);
/* The first column of the first row; 0 without one. */
int db_get_number(struct store *store, const char *sql, int64_t *ret_number);
/* Prepares 'sql' and binds by 'format': 's' const char *, 'u' uint64_t, 'b' const void * and a uint64_t of bytes. */
int db_prepare(struct store *store, sqlite3_stmt **ret_stmt, const char *sql, const char *format, ...)
	__attribute__((sentinel(0)));
/* Returns 1 for a row, 0 at the end. */
int db_step(struct store *store, sqlite3_stmt *stmt);
const char *db_column(sqlite3_stmt *stmt, int i);

int db_begin(struct store *store);
/* Commits if 'r' is 0, else undoes; the first failure is what is returned. */
int db_end(struct store *store, int r);

/* Within a transaction: notes what 'name' is now among its past versions. */
int store_keep_past(struct store *store, const char *name);

static inline void stmt_done(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

#define _cleanup_stmt_ __attribute__((cleanup(stmt_done)))

/* Runs one statement that yields no rows. */
#define RUN(store, sql, format, ...)                                                                                   \
	({                                                                                                             \
		_cleanup_stmt_ sqlite3_stmt *stmt_ = NULL;                                                             \
		int r_ = db_prepare(store, &stmt_, sql, format, __VA_ARGS__, NULL);                                    \
		r_ < 0 ? r_ : db_step(store, stmt_);                                                                   \
	})

#endif
