#!/usr/bin/env bash
# Snakemake 9.27.1
# Expected: the log of a failed job stays, so that a job that tries again can append to it; log files "are not deleted
#   upon error" by the documentation.
# Seen: they outlive the failure and are deleted before the next attempt begins. What a killed job had written is gone
#   once the workflow is started again, and a job cannot see that there was an earlier attempt.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet snakemake==9.27.1
cd "$folder"
cat > Snakefile <<'P'
rule attempt:
    output: "result.txt"
    log: "attempt.log"
    shell: "echo attempt of process $$ >> attempt.log; exit 1"
P
"$folder/v/bin/snakemake" --cores 1 > first.txt 2>&1 || true
first=$(cat attempt.log)
"$folder/v/bin/snakemake" --cores 1 > second.txt 2>&1 || true
echo "after the first run: $first; after the second: $(cat attempt.log)"
test "$(wc -l < attempt.log)" = 1 && test "$first" != "$(cat attempt.log)" || { echo "the behaviour has changed"; exit 1; }
