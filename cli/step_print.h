/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step_print - what tables did to a packet, as `trace` and `simulate` show it. */
#ifndef MEALY_STEP_PRINT_H
#define MEALY_STEP_PRINT_H

#include "cli.h"

void step_print_text(struct cli *cli, const struct msg_traced_step *step);
/* 'layout' describes step->record; NULL leaves the record out. */
void step_print_json(struct render *r, const struct msg_traced_step *step, const struct layout *layout);

/* How the frame left; 'before' is the frame as it came, to say what was rewritten. */
void step_print_exit(struct cli *cli, const struct msg_traced_frame *frame, const uint8_t *before, size_t before_size);
void step_print_exit_json(struct render *r, size_t index, const struct msg_traced_frame *frame, uint64_t version);

#endif
