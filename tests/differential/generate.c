/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "generate.h"

uint64_t draw_bits(struct draw *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned draw_below(struct draw *d, unsigned n)
{
	return draw_bits(d) % n;
}

bool draw_chance(struct draw *d, unsigned percent)
{
	return draw_below(d, 100) < percent;
}

const char *const generate_ip4[4] = {"192.0.2.1", "192.0.2.2", "198.51.100.1", "10.1.2.3"};
const char *const generate_ip6[4] = {"2001:db8::1", "2001:db8::2", "2001:db8:ffff::1", "fe80::1"};
const char *const generate_mac[4] = {"02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03",
				     "01:00:5e:00:00:01"};
const unsigned generate_port[6] = {1111, 2222, 3333, 9922, 53, 80};
