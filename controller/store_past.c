/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was: versions of deployments before the present one, and who changed what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "store_int.h"

enum { PAST_MAX = 10, LOG_MAX = 10000 };

/* ---- versions ---- */

int store_keep_past(struct store *store, const char *name)
{
	struct message msg = {.kind = MSG_DEPLOY, .switch_name = ""};
	struct deployment_list list = {};
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size;
	int r = store_get_deployments(store, name, &list);

	if (r < 0 || !list.n)
		return r;
	msg.deploy = list.item[0];
	r = message_pack(&msg, &bytes, &size);
	if (r == 0)
		r = RUN(store, "INSERT OR REPLACE INTO past VALUES (?, ?, ?)", "sub", name, list.item[0].version, bytes,
			(uint64_t)size);
	if (r == 0)
		r = RUN(store,
			"DELETE FROM past WHERE name = ?1 AND version NOT IN"
			" (SELECT version FROM past WHERE name = ?1 ORDER BY version DESC LIMIT ?2)",
			"su", name, (uint64_t)PAST_MAX);
	deployment_list_done(&list);
	return r;
}

int store_get_past(struct store *store, const char *name, struct deployment_list *ret_list)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct deployment_list list = {};
	int r = db_prepare(store, &stmt, "SELECT packed FROM past WHERE name = ? ORDER BY version DESC", "s", name,
			   NULL);

	while (r >= 0 && (r = db_step(store, stmt)) > 0) {
		struct deployment copy = {};
		struct message *msg;

		if (message_unpack(sqlite3_column_blob(stmt, 0), sqlite3_column_bytes(stmt, 0), &msg, NULL) < 0)
			continue;
		r = deployment_copy(&msg->deploy, &copy);
		message_free(msg);
		if (r == 0)
			r = deployment_list_take(&list, &copy);
	}
	if (r < 0) {
		deployment_list_done(&list);
		return r;
	}
	*ret_list = list;
	return 0;
}

/* ---- log ---- */

int store_log(struct store *store, const struct log_row *row)
{
	int r = RUN(store, "INSERT INTO log (time_ms, who, what, result) VALUES (?, ?, ?, ?)", "usss", row->time_ms,
		    row->who, row->what, row->result);

	return r < 0 ? r
		     : RUN(store, "DELETE FROM log WHERE id <= (SELECT max(id) FROM log) - ?", "u", (uint64_t)LOG_MAX);
}

int store_each_log(struct store *store, uint64_t max, store_log_fn each, void *data)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r = db_prepare(store, &stmt,
			   "SELECT * FROM (SELECT id, time_ms, who, what, result FROM log ORDER BY id DESC LIMIT ?)"
			   " ORDER BY id",
			   "u", max, NULL);

	while (r >= 0 && (r = db_step(store, stmt)) > 0) {
		struct log_row row = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), db_column(stmt, 2),
				      db_column(stmt, 3), db_column(stmt, 4)};

		r = each(data, &row);
	}
	return r < 0 ? r : 0;
}
