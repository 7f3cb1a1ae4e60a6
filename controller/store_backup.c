/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store copied into a file, and desired state taken from one, while the controller runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "store_int.h"

static int wrong(struct store *store, int r, const char *text)
{
	snprintf(store->error, sizeof(store->error), "%s", text);
	return r;
}

int store_backup(struct store *store, const char *path)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (access(path, F_OK) == 0)
		return wrong(store, -EEXIST, "there is such a file already");
	r = RUN(store, "VACUUM INTO ?", "s", path);
	if (r < 0) {
		unlink(path);
		return r;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return wrong(store, -errno, strerror(errno));
	return 0;
}

static int check_file(struct store *store)
{
	int64_t id, version, here;
	int r = db_get_number(store, "PRAGMA backup.application_id", &id);

	if (r == 0)
		r = db_get_number(store, "PRAGMA backup.user_version", &version);
	if (r == 0)
		r = db_get_number(store, "PRAGMA main.user_version", &here);
	if (r < 0)
		return r;
	if (id != STORE_APPLICATION_ID)
		return wrong(store, -EUCLEAN, "it is no backup of mealy-controller");
	if (version != here)
		return wrong(store, -EPROTO, "it is of another version of mealy-controller");
	return 0;
}

/* Everything gets a version that no switch has seen, so that each takes it for the latest word.  What was removed since
 * goes by the next synchronisation. */
static int take_state(struct store *store)
{
	return db_exec(store, "DELETE FROM main.deployment; DELETE FROM main.entry;"
			      "INSERT INTO main.deployment SELECT * FROM backup.deployment;"
			      "INSERT INTO main.setting SELECT * FROM backup.setting;"
			      "INSERT INTO main.port SELECT * FROM backup.port;"
			      "INSERT INTO main.members SELECT * FROM backup.members;"
			      "INSERT INTO main.entry SELECT * FROM backup.entry;"
			      "INSERT OR IGNORE INTO main.switch SELECT * FROM backup.switch;"
			      "INSERT OR IGNORE INTO main.past SELECT * FROM backup.past;"
			      "UPDATE main.counter SET version = max(version, (SELECT version FROM backup.counter));"
			      "UPDATE main.deployment SET version = (SELECT version FROM main.counter) +"
			      " (SELECT count(*) FROM main.deployment AS other WHERE other.name <= deployment.name);"
			      "UPDATE main.counter SET version = version + (SELECT count(*) FROM main.deployment);");
}

int store_restore(struct store *store, const char *path)
{
	char error[sizeof(store->error)];
	int r;

	if (access(path, R_OK) < 0)
		return wrong(store, -errno, strerror(errno));
	r = RUN(store, "ATTACH ? AS backup", "s", path);
	if (r < 0)
		return r;
	r = check_file(store);
	if (r == 0)
		r = db_begin(store);
	if (r == 0)
		r = db_end(store, take_state(store));
	memcpy(error, store->error, sizeof(error));
	if (db_exec(store, "DETACH backup") == 0 || r < 0)
		memcpy(store->error, error, sizeof(error));
	return r;
}
