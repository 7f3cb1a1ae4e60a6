/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "../common/cleanup.h"
#include "folder.h"
#include "store_int.h"

/* The schema's number grows with every change to it. */
enum { SCHEMA_VERSION = 4, BUSY_TIMEOUT_MS = 2000 };

static const char schema[] =
	"CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 0), version INTEGER NOT NULL) STRICT;"
	"INSERT INTO counter VALUES (0, 0);"
	"CREATE TABLE deployment ("
	" name TEXT PRIMARY KEY, version INTEGER NOT NULL, file TEXT NOT NULL, text TEXT NOT NULL,"
	" hook INTEGER NOT NULL, place INTEGER NOT NULL, switches TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE setting ("
	" deployment TEXT NOT NULL REFERENCES deployment ON DELETE CASCADE, idx INTEGER NOT NULL,"
	" name TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (deployment, idx)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE port ("
	" deployment TEXT NOT NULL REFERENCES deployment ON DELETE CASCADE, idx INTEGER NOT NULL,"
	" name TEXT NOT NULL, PRIMARY KEY (deployment, idx)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE switch ("
	" name TEXT PRIMARY KEY, address TEXT NOT NULL, build TEXT NOT NULL, kernel TEXT NOT NULL,"
	" seen_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Since schema 2. */
static const char entry_schema[] = "CREATE TABLE entry ("
				   " switch TEXT NOT NULL, deployment TEXT NOT NULL, place TEXT NOT NULL,"
				   " id TEXT NOT NULL, columns TEXT NOT NULL, cells TEXT NOT NULL,"
				   " PRIMARY KEY (switch, deployment, place, id)) STRICT, WITHOUT ROWID;"
				   "CREATE INDEX entry_deployment ON entry (deployment);";

/* Since schema 3. */
static const char members_schema[] = "CREATE TABLE members ("
				     " deployment TEXT PRIMARY KEY REFERENCES deployment ON DELETE CASCADE, text TEXT "
				     "NOT NULL) STRICT, WITHOUT ROWID;";

/* Since schema 4. */
static const char past_schema[] =
	"CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, result TEXT NOT NULL) STRICT;"
	"CREATE TABLE past (name TEXT NOT NULL, version INTEGER NOT NULL, packed BLOB NOT NULL,"
	" PRIMARY KEY (name, version)) STRICT, WITHOUT ROWID;";

static int to_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN: return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return -EUCLEAN;
	default: return -EIO;
	}
}

/* Notes what the database says about its last failure. */
static int failed(struct store *store)
{
	int r = to_errno(sqlite3_extended_errcode(store->db));

	snprintf(store->error, sizeof(store->error), "%s", sqlite3_errmsg(store->db));
	return r < 0 ? r : -EIO;
}

int db_exec(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(store);
}

/* Prepares 'sql' and binds by 'format'. */
int db_prepare(struct store *store, sqlite3_stmt **ret_stmt, const char *sql, const char *format, ...)
{
	sqlite3_stmt *stmt;
	int rc = SQLITE_OK;
	va_list args;

	if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return failed(store);
	va_start(args, format);
	for (int i = 0; format[i] && rc == SQLITE_OK; i++) {
		if (format[i] == 's') {
			rc = sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else if (format[i] == 'b') {
			const void *bytes = va_arg(args, const void *);

			rc = sqlite3_bind_blob64(stmt, i + 1, bytes, va_arg(args, uint64_t), SQLITE_TRANSIENT);
		} else {
			rc = sqlite3_bind_int64(stmt, i + 1, va_arg(args, uint64_t));
		}
	}
	va_end(args);
	if (rc != SQLITE_OK) {
		sqlite3_finalize(stmt);
		return failed(store);
	}
	*ret_stmt = stmt;
	return 0;
}

/* Returns 1 for a row, 0 at the end. */
int db_step(struct store *store, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : failed(store);
}

const char *db_column(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	return text ? text : "";
}

int db_get_number(struct store *store, const char *sql, int64_t *ret_number)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store, &stmt, sql, "", NULL);
	if (r < 0)
		return r;
	r = db_step(store, stmt);
	if (r < 0)
		return r;
	*ret_number = r ? sqlite3_column_int64(stmt, 0) : 0;
	return 0;
}

int db_begin(struct store *store)
{
	return db_exec(store, "BEGIN IMMEDIATE");
}

/* Commits if 'r' is 0, else undoes; the first failure is what is returned. */
int db_end(struct store *store, int r)
{
	if (r == 0)
		r = db_exec(store, "COMMIT");
	if (r < 0)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* The tables that a store of schema 'version' has not; 0: it is empty. */
static int create_schema(struct store *store, int64_t version)
{
	char sql[96];
	int r;

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;", STORE_APPLICATION_ID,
		 SCHEMA_VERSION);
	r = db_begin(store);
	if (r < 0)
		return r;
	if (version < 1)
		r = db_exec(store, schema);
	if (r == 0 && version < 2)
		r = db_exec(store, entry_schema);
	if (r == 0 && version < 3)
		r = db_exec(store, members_schema);
	if (r == 0)
		r = db_exec(store, past_schema);
	if (r == 0)
		r = db_exec(store, sql);
	return db_end(store, r);
}

static int check_schema(struct store *store)
{
	int64_t id, version, n_tables;
	int r;

	r = db_get_number(store, "PRAGMA application_id", &id);
	if (r == 0)
		r = db_get_number(store, "PRAGMA user_version", &version);
	if (r == 0)
		r = db_get_number(store, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (r < 0)
		return r;
	if (n_tables == 0)
		return create_schema(store, 0);
	if (id != STORE_APPLICATION_ID) {
		snprintf(store->error, sizeof(store->error), "it is a database, but not one of mealy-controller");
		return -EUCLEAN;
	}
	if (version >= 1 && version < SCHEMA_VERSION)
		return create_schema(store, version);
	if (version != SCHEMA_VERSION) {
		snprintf(store->error, sizeof(store->error), "it has schema %lld, this controller knows %d",
			 (long long)version, SCHEMA_VERSION);
		return -EPROTO;
	}
	return 0;
}

static int lock_dir(struct store *store, const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/lock", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (store->lock_fd < 0) {
		snprintf(store->error, sizeof(store->error), "%.150s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		snprintf(store->error, sizeof(store->error), "another controller is using it");
		return -EBUSY;
	}
	return 0;
}

static int open_db(struct store *store, const char *dir)
{
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/desired.sqlite", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return store->db ? failed(store) : -ENOMEM;
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	/* FULL: a version that a switch has seen must never be given out again after a power cut. */
	r = db_exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
	return r < 0 ? r : check_schema(store);
}

int store_open(const char *dir, struct store **ret_store, char *ret_why)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->lock_fd = -1;
	r = folder_make(dir);
	if (r == 0)
		r = lock_dir(store, dir);
	if (r == 0)
		r = open_db(store, dir);
	if (r < 0) {
		snprintf(ret_why, 256, "cannot open the store in %.100s: %.120s", dir,
			 store->error[0] ? store->error : strerror(-r));
		store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store);
}

const char *store_error(const struct store *store)
{
	return store->error;
}

static int next_version(struct store *store, uint64_t *ret_version)
{
	int64_t version;
	int r;

	r = db_exec(store, "UPDATE counter SET version = version + 1");
	if (r == 0)
		r = db_get_number(store, "SELECT version FROM counter", &version);
	if (r == 0)
		*ret_version = version;
	return r;
}

static int insert_deployment(struct store *store, const struct deployment *d, uint64_t version)
{
	int r;

	r = store_keep_past(store, d->name);
	if (r == 0)
		r = RUN(store, "DELETE FROM deployment WHERE name = ?", "s", d->name);
	if (r < 0)
		return r;
	r = RUN(store, "INSERT INTO deployment VALUES (?, ?, ?, ?, ?, ?, ?)", "sussuus", d->name, version, d->file,
		d->text, (uint64_t)d->hook, (uint64_t)d->order, d->switches);
	if (r == 0 && d->members && d->members[0])
		r = RUN(store, "INSERT INTO members VALUES (?, ?)", "ss", d->name, d->members);
	for (size_t i = 0; r == 0 && i < d->n_settings; i++)
		r = RUN(store, "INSERT INTO setting VALUES (?, ?, ?, ?)", "suss", d->name, (uint64_t)i,
			d->setting[i].name, d->setting[i].text);
	for (size_t i = 0; r == 0 && i < d->n_ports; i++)
		r = RUN(store, "INSERT INTO port VALUES (?, ?, ?)", "sus", d->name, (uint64_t)i, d->port[i]);
	return r;
}

int store_put_deployment(struct store *store, const struct deployment *deployment, uint64_t *ret_version)
{
	uint64_t version;
	int r;

	r = db_begin(store);
	if (r < 0)
		return r;
	r = next_version(store, &version);
	if (r == 0)
		r = insert_deployment(store, deployment, version);
	r = db_end(store, r);
	if (r == 0)
		*ret_version = version;
	return r;
}

int store_remove_deployment(struct store *store, const char *name, uint64_t *ret_version)
{
	uint64_t version;
	int r;

	r = db_begin(store);
	if (r < 0)
		return r;
	r = store_keep_past(store, name);
	if (r == 0)
		r = RUN(store, "DELETE FROM deployment WHERE name = ?", "s", name);
	if (r == 0 && sqlite3_changes(store->db) == 0)
		r = -ENOENT;
	if (r == 0)
		r = RUN(store, "DELETE FROM entry WHERE deployment = ?", "s", name);
	if (r == 0)
		r = next_version(store, &version);
	r = db_end(store, r);
	if (r == 0)
		*ret_version = version;
	return r;
}

static int count_rows(struct store *store, const char *sql, const char *name, size_t *ret_n)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store, &stmt, sql, "s", name, NULL);
	if (r < 0)
		return r;
	r = db_step(store, stmt);
	if (r > 0)
		*ret_n = sqlite3_column_int64(stmt, 0);
	return r < 0 ? r : 0;
}

static int read_settings(struct store *store, struct deployment *d)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int r;

	r = count_rows(store, "SELECT count(*) FROM setting WHERE deployment = ?", d->name, &n);
	if (r < 0 || !n)
		return r;
	d->setting = calloc(n, sizeof(*d->setting));
	if (!d->setting)
		return -ENOMEM;
	r = db_prepare(store, &stmt, "SELECT name, text FROM setting WHERE deployment = ? ORDER BY idx", "s", d->name,
		       NULL);
	while (r >= 0 && d->n_settings < n && (r = db_step(store, stmt)) > 0) {
		struct msg_setting *s = &d->setting[d->n_settings++];

		s->name = strdup(db_column(stmt, 0));
		s->text = strdup(db_column(stmt, 1));
		if (!s->name || !s->text)
			return -ENOMEM;
	}
	return r < 0 ? r : 0;
}

static int read_ports(struct store *store, struct deployment *d)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int r;

	r = count_rows(store, "SELECT count(*) FROM port WHERE deployment = ?", d->name, &n);
	if (r < 0 || !n)
		return r;
	d->port = calloc(n, sizeof(*d->port));
	if (!d->port)
		return -ENOMEM;
	r = db_prepare(store, &stmt, "SELECT name FROM port WHERE deployment = ? ORDER BY idx", "s", d->name, NULL);
	while (r >= 0 && d->n_ports < n && (r = db_step(store, stmt)) > 0) {
		d->port[d->n_ports] = strdup(db_column(stmt, 0));
		if (!d->port[d->n_ports++])
			return -ENOMEM;
	}
	return r < 0 ? r : 0;
}

static int read_deployment(struct store *store, sqlite3_stmt *stmt, struct deployment_list *list)
{
	struct deployment d = {
		.name = strdup(db_column(stmt, 0)),
		.version = sqlite3_column_int64(stmt, 1),
		.file = strdup(db_column(stmt, 2)),
		.text = strdup(db_column(stmt, 3)),
		.hook = sqlite3_column_int64(stmt, 4),
		.order = sqlite3_column_int64(stmt, 5),
		.switches = strdup(db_column(stmt, 6)),
		.members = strdup(db_column(stmt, 7)),
	};
	int r = d.name && d.file && d.text && d.switches && d.members ? 0 : -ENOMEM;

	if (r == 0)
		r = read_settings(store, &d);
	if (r == 0)
		r = read_ports(store, &d);
	if (r < 0) {
		deployment_done(&d);
		return r;
	}
	return deployment_list_take(list, &d);
}

int store_get_deployments(struct store *store, const char *name, struct deployment_list *ret_list)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct deployment_list list = {};
	int r;

	r = db_prepare(store, &stmt,
		       "SELECT name, version, file, deployment.text, hook, place, switches, coalesce(members.text, '')"
		       " FROM deployment LEFT JOIN members ON members.deployment = deployment.name"
		       " WHERE ?1 = '' OR name = ?1 ORDER BY name",
		       "s", name ? name : "", NULL);
	while (r >= 0 && (r = db_step(store, stmt)) > 0)
		r = read_deployment(store, stmt, &list);
	if (r < 0) {
		deployment_list_done(&list);
		return r;
	}
	*ret_list = list;
	return 0;
}

int store_put_switch(struct store *store, const struct known_switch *sw)
{
	return RUN(store, "INSERT OR REPLACE INTO switch VALUES (?, ?, ?, ?, ?)", "ssssu", sw->name, sw->address,
		   sw->build, sw->kernel, sw->seen_ms);
}

int store_remove_switch(struct store *store, const char *name)
{
	int r = RUN(store, "DELETE FROM entry WHERE switch = ?", "s", name);

	return r < 0 ? r : RUN(store, "DELETE FROM switch WHERE name = ?", "s", name);
}

/* ---- entries ---- */

int store_begin(struct store *store)
{
	return db_begin(store);
}

int store_end(struct store *store, int r)
{
	return db_end(store, r);
}

int store_put_entry(struct store *store, const struct stored_entry *entry)
{
	return RUN(store, "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?)", "ssssss", entry->switch_name,
		   entry->deployment, entry->table, entry->id, entry->columns, entry->cells);
}

int store_remove_entry(struct store *store, const struct stored_entry *like)
{
	return RUN(store, "DELETE FROM entry WHERE switch = ? AND deployment = ? AND place = ? AND id = ?", "ssss",
		   like->switch_name, like->deployment, like->table, like->id);
}

int store_clear_entries(struct store *store, const char *switch_name, const char *deployment, const char *table)
{
	return RUN(store, "DELETE FROM entry WHERE switch = ? AND deployment = ? AND place = ?", "sss", switch_name,
		   deployment, table);
}

int store_get_entry(struct store *store, const struct stored_entry *like, char **ret_columns, char **ret_cells)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store, &stmt,
		       "SELECT columns, cells FROM entry WHERE switch = ? AND deployment = ? AND place = ? AND id = ?",
		       "ssss", like->switch_name, like->deployment, like->table, like->id, NULL);
	if (r == 0)
		r = db_step(store, stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_columns = strdup(db_column(stmt, 0));
	*ret_cells = strdup(db_column(stmt, 1));
	if (*ret_columns && *ret_cells)
		return 0;
	free(*ret_columns);
	free(*ret_cells);
	return -ENOMEM;
}

int store_each_entry(struct store *store, const char *switch_name, const struct stored_entry *after, unsigned max,
		     store_entry_fn each, void *data)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(
		store, &stmt,
		"SELECT deployment, place, id, columns, cells FROM entry"
		" WHERE switch = ? AND (deployment, place, id) > (?, ?, ?) ORDER BY deployment, place, id LIMIT ?",
		"ssssu", switch_name, after ? after->deployment : "", after ? after->table : "", after ? after->id : "",
		(uint64_t)max, NULL);
	while (r >= 0 && (r = db_step(store, stmt)) > 0) {
		struct stored_entry entry = {switch_name,	 db_column(stmt, 0), db_column(stmt, 1),
					     db_column(stmt, 2), db_column(stmt, 3), db_column(stmt, 4)};

		r = each(data, &entry);
		if (r > 0)
			return 0;
	}
	return r < 0 ? r : 0;
}

int store_each_switch(struct store *store, store_switch_fn each, void *data)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store, &stmt, "SELECT name, address, build, kernel, seen_ms FROM switch ORDER BY name", "",
		       NULL);
	while (r >= 0 && (r = db_step(store, stmt)) > 0) {
		struct known_switch sw = {
			.name = (char *)db_column(stmt, 0),
			.address = (char *)db_column(stmt, 1),
			.build = (char *)db_column(stmt, 2),
			.kernel = (char *)db_column(stmt, 3),
			.seen_ms = sqlite3_column_int64(stmt, 4),
		};

		r = each(data, &sw);
	}
	return r < 0 ? r : 0;
}
