// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "message_table.h"
#include "pool.h"

void message_free(struct message *msg)
{
	if (msg)
		pool_free(msg->owner); /* The message itself lies there too. */
}

const char *message_kind_name(enum message_kind kind)
{
	if ((unsigned)kind >= MSG_KIND_MAX)
		return "unknown";
	return message_bodies[kind].name;
}

struct msg_event message_event(const char *kind, const char *text)
{
	return (struct msg_event){
		.switch_name = "",
		.kind = kind,
		.deployment = "",
		.table = "",
		.key = "",
		.registers = "",
		.old_state = "",
		.new_state = "",
		.rule = "",
		.port = "",
		.text = text,
	};
}

const char *error_code_name(enum error_code code)
{
	static const char *const names[] = {
		[ERROR_NONE] = "none",		 [ERROR_VERSION] = "another version",  [ERROR_MALFORMED] = "malformed",
		[ERROR_UNKNOWN] = "unknown",	 [ERROR_REFUSED] = "refused",	       [ERROR_INVALID] = "invalid",
		[ERROR_NO_MEMORY] = "no memory", [ERROR_NO_SWITCH] = "no such switch", [ERROR_BUSY] = "busy",
		[ERROR_INTERNAL] = "internal",
	};

	if ((unsigned)code >= sizeof(names) / sizeof(names[0]))
		return "unknown error";
	return names[code];
}

/* ---- FNV-1a, 64 bits; numbers as eight bytes, the lowest first ---- */

static uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		digest ^= ((const uint8_t *)bytes)[i];
		digest *= 0x100000001b3;
	}
	return digest;
}

static uint64_t digest_uint(uint64_t digest, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		digest = digest_bytes(digest, &(uint8_t){value >> shift}, 1);
	return digest;
}

/* The length goes first, so that "ab", "c" and "a", "bc" differ. */
static uint64_t digest_string(uint64_t digest, const char *string)
{
	size_t len = strlen(string ?: "");

	return digest_bytes(digest_uint(digest, len), string ?: "", len);
}

uint64_t deployment_digest(const struct deployment *deployment)
{
	uint64_t digest = 0xcbf29ce484222325;

	digest = digest_string(digest, deployment->name);
	digest = digest_string(digest, deployment->file);
	digest = digest_string(digest, deployment->text);
	digest = digest_uint(digest, deployment->n_settings);
	for (size_t i = 0; i < deployment->n_settings; i++) {
		digest = digest_string(digest, deployment->setting[i].name);
		digest = digest_string(digest, deployment->setting[i].text);
	}
	digest = digest_uint(digest, deployment->hook);
	digest = digest_uint(digest, deployment->n_ports);
	for (size_t i = 0; i < deployment->n_ports; i++)
		digest = digest_string(digest, deployment->port[i]);
	digest = digest_uint(digest, deployment->order);
	digest = digest_string(digest, deployment->switches);
	/* So nothing that has none looks changed to an older build. */
	return deployment->members && deployment->members[0] ? digest_string(digest, deployment->members) : digest;
}
