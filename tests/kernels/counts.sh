#!/usr/bin/env bash
# counts.sh COUNTS KEPT NEW: prints how many instructions the verifier looked at, by program, kernel and compiler, writes
# the table to NEW and fails if a program grew by more than a tenth over KEPT.
#
# COUNTS has lines "kernel compiler program instructions"; KEPT and NEW are tables with a column for each kernel and
# compiler.  What KEPT does not have is not compared.
set -u
counts=$1 kept=$2 new=$3

# Programs of a few hundred instructions change by a tenth with every line.
awk -v small=500 -v kept="$kept" -v new="$new" '
function pad(text, width) { return sprintf("%" width "s", text) }
/^#/ { next }
FILENAME == kept && !header { header = 1; for (i = 2; i <= NF; i++) column[i] = $i; next }
FILENAME == kept { for (i = 2; i <= NF; i++) if ($i != "-") old[$1, column[i]] = $i; next }
{
	cell = $1 "/" $2
	if (!(cell in seen)) { seen[cell] = 1; cells[++n_cells] = cell }
	if (!($3 in known)) { known[$3] = 1; programs[++n_programs] = $3 }
	now[$3, cell] = $4
}
END {
	line = sprintf("%-16s", "program")
	for (c = 1; c <= n_cells; c++) line = line pad(cells[c], 15)
	text = line "\n"
	for (p = 1; p <= n_programs; p++) {
		line = sprintf("%-16s", programs[p])
		for (c = 1; c <= n_cells; c++) {
			key = programs[p] SUBSEP cells[c]
			value = key in now ? now[key] : "-"
			line = line pad(value, 15)
			if (key in now && key in old && value > old[key] * 1.1 && value > old[key] + small)
				grown = grown sprintf("GROWN %s on %s: %d instructions, %d before\n", programs[p], cells[c], value, old[key])
		}
		text = text line "\n"
	}
	printf "%s%s", text, grown
	printf "# Instructions that the verifier looked at; written by counts.sh, see README.md.\n%s", text >new
	exit grown != ""
}' "$kept" "$counts"
status=$?
[ $status = 0 ] || echo "if that is meant: cp $new $kept"
exit $status
