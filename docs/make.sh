#!/usr/bin/env bash
# Makes the generated parts of the documentation anew in the source tree: make.sh MEALY-REFERENCE MEALY [--check]
# With --check nothing is written: says what differs and fails.
# A diagram carries the digest of its Graphviz source: fonts differ from machine to machine, so drawings cannot be compared.
set -u
cd "$(dirname "$0")/.." || exit 1
reference=$1 mealy=$2 check=${3:-}
bad=0

differs() { echo "$1 is not what the code says; run: cmake --build BUILD --target docs"; bad=1; }

# Every parameter that is a port must be set to something.
settings() { grep '^parameters:' "$1" | grep -oE '[A-Za-z_0-9]+: port\b' | sed 's/\(.*\): port/--set \1=\1/'; }

new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT
"$reference" docs/language.md > "$new" || { echo "docs/language.md cannot be made"; exit 1; }
if [ "$check" ]; then
	cmp -s "$new" docs/language.md || { differs docs/language.md; diff "$new" docs/language.md | head -n 10; }
else
	cp "$new" docs/language.md
	mkdir -p docs/diagrams
fi

for file in examples/*.yaml; do
	name=$(basename "$file" .yaml) svg=docs/diagrams/$(basename "$file" .yaml).svg
	# shellcheck disable=SC2046
	"$mealy" app check "$file" $(settings "$file") --dot > "$new" || exit 1
	digest=$(sha256sum < "$new" | cut -c1-32)
	if [ "$check" ]; then
		grep -qs "source $digest" "$svg" || differs "$svg"
		if command -v dot > /dev/null; then dot -Tsvg "$new" > /dev/null || bad=1; fi
	elif ! grep -qs "source $digest" "$svg"; then
		{ echo "<!-- $name: source $digest -->"; dot -Tsvg "$new" | sed -n '/^<svg/,$p'; } > "$svg" || exit 1
	fi
done
{
	printf '# State diagrams of the examples\n\nDrawn from the files by `mealy app check --dot` and Graphviz (`docs/make.sh`). Bold: the first state, in which nothing is remembered.\n'
	printf 'Dashed: timeouts. Behind a slash: what a rule does. A note holds the rules that change no state.\n'
	for file in examples/*.yaml; do
		name=$(basename "$file" .yaml)
		printf '\n## [%s](../examples/%s.yaml)\n\n![%s](diagrams/%s.svg)\n' "$name" "$name" "$name" "$name"
	done
} > "$new"
if [ "$check" ]; then cmp -s "$new" docs/diagrams.md || differs docs/diagrams.md; else cp "$new" docs/diagrams.md; fi
for svg in docs/diagrams/*.svg; do
	[ -e "examples/$(basename "$svg" .svg).yaml" ] || { echo "$svg: its example is gone"; bad=1; }
done
exit $bad
