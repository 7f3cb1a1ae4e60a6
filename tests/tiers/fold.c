// SPDX-License-Identifier: GPL-2.0-or-later
/* The source stays foldable: around constant tables the interpreter is gone. */
#include "tiers.h"

#include <stdio.h>

static void constants_leave_a_quarter_of_the_code_and_no_tables(void **state)
{
	struct rig *rig;
	unsigned interpreter, specialised, rodata;

	if (tier != RIG_SPECIALISED)
		skip();
	rig = rig_with("examples/token-bucket.yaml", NULL);
	interpreter = rig_interpreter_size(rig);
	specialised = rig_special_size(rig, &rodata);
	print_message("machine code: interpreter %u bytes, specialised %u bytes, read-only data %u bytes\n",
		      interpreter, specialised, rodata);
	assert_true(specialised * 4 <= interpreter);
	assert_true(rodata <= 64);
	assert_false(rig_special_uses(rig, MAP_TABLES));
	rig_close(rig);
}

TESTS(fold, cmocka_unit_test(constants_leave_a_quarter_of_the_code_and_no_tables));
