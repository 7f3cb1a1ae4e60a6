// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "control_run.h"

int control_run(struct instance *instance, struct control *control)
{
	unsigned char in[CONTROL_FRAME_SIZE] = {}, out[CONTROL_FRAME_SIZE];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in), .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);
	int r;

	control->magic = CONTROL_MAGIC;
	memcpy(in + CONTROL_OFFSET, control, sizeof(*control));
	r = bpf_prog_test_run_opts(instance_control_fd(instance), &opts);
	if (r < 0)
		return r;
	/* XDP_PASS says that the program knew the command; it drops what it does not understand. */
	if (opts.retval != 2 /* XDP_PASS */ || opts.data_size_out != sizeof(out))
		return -EIO;
	memcpy(control, out + CONTROL_OFFSET, sizeof(*control));
	return 0;
}
