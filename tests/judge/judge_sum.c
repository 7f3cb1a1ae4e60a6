/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_sum.h"

/* ---- bits ------------------------------------------------------------------------------------ */

uint64_t judge_bits_get(const uint8_t *p, unsigned bit, unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = bit; i < bit + n; i++)
		value = value << 1 | (p[i / 8] >> (7 - i % 8) & 1);
	return value;
}

void judge_bits_put(uint8_t *p, unsigned bit, unsigned n, uint64_t value)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = bit + n - 1 - i;

		p[at / 8] = (p[at / 8] & ~(0x80 >> at % 8)) | (value >> i & 1 ? 0x80 >> at % 8 : 0);
	}
}

static unsigned get16(const struct judge_packet *p, unsigned at)
{
	return judge_bits_get(p->frame.data + at, 0, 16);
}

/* ---- checksums ------------------------------------------------------------------------------- */

static unsigned fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint64_t sum_bytes(const struct judge_packet *p, unsigned from, unsigned end)
{
	uint64_t sum = 0;

	for (unsigned i = from; i < end; i++)
		sum += (i - from) & 1 ? p->frame.data[i] : p->frame.data[i] << 8;
	return sum;
}

static bool l4_header(const struct judge_packet *p, enum judge_header *ret_header, unsigned *ret_checksum)
{
	static const struct {
		enum judge_header header;
		unsigned checksum;
	} l4[] = {{JUDGE_TCP, 16}, {JUDGE_UDP, 6}, {JUDGE_ICMP, 2}, {JUDGE_ICMPV6, 2}};

	for (unsigned i = 0; i < 4; i++)
		if (p->has[l4[i].header]) {
			*ret_header = l4[i].header;
			*ret_checksum = p->at[l4[i].header] + l4[i].checksum;
			return true;
		}
	return false;
}

struct judge_sums judge_sums_of(const struct judge_packet *p)
{
	struct judge_sums sums = {};
	enum judge_header l4;
	unsigned checksum, ip = p->at[p->has[JUDGE_IPV4] ? JUDGE_IPV4 : JUDGE_IPV6];
	uint64_t sum = 0;

	if (p->has[JUDGE_IPV4])
		sums.ip = fold(sum_bytes(p, ip, ip + 4 * (p->frame.data[ip] & 15)));
	if (!l4_header(p, &l4, &checksum))
		return sums;
	if (l4 != JUDGE_ICMP)
		sum = p->has[JUDGE_IPV4] ? sum_bytes(p, ip + 12, ip + 20) : sum_bytes(p, ip + 8, ip + 40);
	sums.l4 = fold(sum + sum_bytes(p, p->at[l4], p->end));
	return sums;
}

/* RFC 1624: a checksum changes by what the bytes it covers changed by.  So a first fragment keeps a checksum that
 * covers bytes which are not here, and a wrong one stays as wrong as it was. */
static unsigned moved_checksum(unsigned checksum, unsigned before, unsigned after)
{
	if (before == after)
		return checksum;
	return ~fold((~checksum & 0xffff) + after + (~before & 0xffff)) & 0xffff;
}

void judge_sums_move(struct judge_packet *p, struct judge_sums before)
{
	struct judge_sums after = judge_sums_of(p);
	enum judge_header l4;
	unsigned at, old, sum;

	if (p->has[JUDGE_IPV4]) {
		at = p->at[JUDGE_IPV4] + 10;
		judge_bits_put(p->frame.data + at, 0, 16, moved_checksum(get16(p, at), before.ip, after.ip));
	}
	if (!l4_header(p, &l4, &at))
		return;
	old = get16(p, at);
	if (l4 == JUDGE_UDP && old == 0)
		return; /* None. */
	sum = moved_checksum(old, before.l4, after.l4);
	judge_bits_put(p->frame.data + at, 0, 16, l4 == JUDGE_UDP && sum == 0 ? 0xffff : sum);
}
