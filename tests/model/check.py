#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks flow_table.pml and claim.pml by spin: what is right must have no error in any state, each mutant must have one.

    check.py [--long] [--only WORD]     --long, or MEALY_LONG=1, adds what takes minutes

Prints a table, seconds are the search's processor time; ends with 1 if a variant without mutant fails or a mutant is not caught."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

FOLDER = os.path.dirname(os.path.abspath(__file__))
DEPTH, MEMORY_MB, SKIP = 1000000, 12000, 77

# Sizes and features: two CPUs of two packets, two keys in one chain, two slots, where nothing else is said.
SMALL = "PACKETS=1 PACKETS_FIRST=2 "
DELETES = SMALL + "ENDS EXPIRES=1"
BIG_DELETES = "ENDS EXPIRES=1"
WAITING = "PACKETS=1 ENDS EXPIRES=1 BEGUN"
SCOPES = "PACKETS=1 SCOPES EXPIRES=1 BEGUN"
LINKS = "ENTRIES=1 LINES=3 BEGUN "
EXPIRY = SMALL + "SLOTS=1 MAKES_ROOM DUE EXPIRES=1 BEGUN"
EVICTS = SMALL + "KEYS=3 MAKES_ROOM EVICTS BEGUN"
CHAINS = "SLOTS=1 ENTRIES=1 CHAINS=2 MAKES_ROOM EVICTS BEGUN"
DUMPS = SMALL + "DUMPS=1"
ALLOCATES = "MODEL=claim.pml "

# Name, definitions.
RIGHT = [
    ("two CPUs, rules that end flows", "ENDS"),
    ("two CPUs, deletes", DELETES),
    ("two CPUs, nobody waits for ever", WAITING + " LIVELOCK"),
    ("two scopes, deletes", SCOPES),
    ("links overflow lines", LINKS),
    ("links overflow lines, deletes", LINKS + "PACKETS=1 ENDS EXPIRES=1"),
    ("expires, and a packet makes room", EXPIRY),
    ("evicts", EVICTS),
    ("evicts, flows that end", "SLOTS=1 ENDS MAKES_ROOM EVICTS BEGUN"),
    ("evicts from another chain", CHAINS),
    ("evicts, nobody waits for ever", EVICTS + " PACKETS_FIRST=1 LIVELOCK"),
    ("dumps", DUMPS),
    ("dumps, deletes", "PACKETS=1 DUMPS=1 EXPIRES=1 BEGUN"),
    ("allocates", ALLOCATES),
]
LONG = [
    ("two CPUs of two packets, deletes", BIG_DELETES),
    ("three slots, deletes", SMALL + "SLOTS=3 " + BIG_DELETES),
    ("two CPUs of two packets, nobody waits for ever", BIG_DELETES + " LIVELOCK"),
    ("three CPUs, deletes", "CPUS=3 PACKETS=1 " + BIG_DELETES),
    ("three CPUs, three slots, rules that end flows", "CPUS=3 PACKETS=1 SLOTS=3 ENDS BEGUN"),
    ("two scopes, two packets", SMALL + "SCOPES EXPIRES=1 BEGUN"),
    ("evicts, three CPUs", "CPUS=3 PACKETS=1 KEYS=3 MAKES_ROOM EVICTS BEGUN"),
    ("dumps, two packets", "DUMPS=1"),
    ("allocates, three CPUs", ALLOCATES + "CPUS=3 PACKETS=1 EXPIRES=2"),
]
MUTANTS = [
    ("F1_NO_KEY", DELETES), ("F1_NO_ALIVE", DELETES), ("F1_NO_NAME", DELETES),
    ("UPDATE_UNLOCKED", DELETES),
    ("VERSION_IGNORED", DELETES), ("VERSION_LATE", DELETES), ("VERSION_EARLY", DELETES),
    ("PUBLISH_UNLOCKED", DELETES), ("NO_RETRACT", DELETES),
    ("COMPACT", DELETES), ("COMPACT", SCOPES), ("GIVE_EARLY", DELETES), ("GIVE_EARLY", EVICTS),
    ("FREE_NO_NAME", DELETES), ("FREE_NO_ALIVE", DELETES), ("FREE_NO_KEY", BIG_DELETES),
    ("FREE_NO_NAME", EVICTS), ("FREE_NO_ALIVE", EVICTS),
    ("EXPIRE_NOT_WANTED", EXPIRY), ("ROOM_NOT_WANTED", EXPIRY),
    ("HELP_NO_ALIVE", DELETES), ("NO_HELP", WAITING + " LIVELOCK"),
    ("SCOPE_NO_F1", SCOPES),
    ("LINK_UNLOCKED", LINKS), ("LINK_NO_CHECK", LINKS),
    ("DUMP_NO_CHANGE", DUMPS), ("DUMP_ODD", DUMPS), ("CHANGE_LATE", DUMPS),
    ("DUMP_NO_NAME", DUMPS), ("DUMP_NO_SECOND_LOOK", DUMPS),
    ("OLD_LOST", ALLOCATES), ("KEEP", ALLOCATES), ("HOLDER_FIRST", ALLOCATES), ("ALONE", ALLOCATES),
]
# What an assertion is about, by a piece of it.
CLAIMS = [
    ("non-progress", "somebody waits for ever"),
    ("watch_true", "a dump shows what never was"),
    ("gap[", "a flow that was there was not found"),
    ("due[", "a flow that is not due is freed"),
    ("truth[k]==0", "two live records of one key"),
    ("c_live[k]<=1", "two live records of one key"),
    ("entry[c_i]!=s", "a slot is free and named"),
    ("!(unused[s])", "a slot is free twice"),
    ("c_names==0", "a free slot is alive or named"),
    ("c_names==1", "a slot or a flow is lost"),
    ("c_live[0]==0", "a flow is lost"),
    ("leads[names", "a flow names what another one holds"),
    ("live[leads", "a claimed record is lost"),
    ("held[v]", "a claimed record is freed twice"),
    ("held[old]", "a claimed record is freed twice"),
    ("held[names", "a flow names nothing"),
    ("truth[", "an update lost or in another flow's record"),
]


def run(command, folder):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def made(command, folder):
    """Of a step that must work; its output is the reason if it does not."""
    done = run(command, folder)
    if done.returncode:
        raise RuntimeError("%s:\n%s" % (" ".join(command), done.stdout[-2000:]))


def search(folder, livelock):
    """Output and processor seconds of the search."""
    with subprocess.Popen(["./pan", "-m%d" % DEPTH] + (["-l"] if livelock else []), cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pan:
        text = pan.stdout.read()
        _, status, usage = os.wait4(pan.pid, 0)
        pan.returncode = os.waitstatus_to_exitcode(status)
    return text, usage.ru_utime + usage.ru_stime


def claim(error):
    plain = error.replace(" ", "")
    return next((name for piece, name in CLAIMS if piece in plain), error)


def check(words, is_mutant, folder):
    """Explores every state: (error or None, states, seconds)."""
    livelock = "LIVELOCK" in words
    last = dict((w.split("=")[0], w) for w in words if w != "LIVELOCK")  # A later size counts.
    model = last.pop("MODEL", "MODEL=flow_table.pml").split("=")[1]
    made(["spin", "-a"] + ["-D" + w for w in last.values()] + [os.path.join(FOLDER, model)], folder)
    made(["gcc", "-O0" if is_mutant else "-O2", "-w", "-DNOFAIR", "-DNP" if livelock else "-DSAFETY", "-DMEMLIM=%d" % MEMORY_MB,
          "-o", "pan", "pan.c"], folder)
    text, seconds = search(folder, livelock)
    states = re.search(r"(\S+) states, stored", text)
    error = re.search(r"^pan:1: (.*?)(?: \(at depth \d+\))?$", text, re.M)
    number = re.search(r"errors: (\d+)", text)
    if not states or not number or "Search not completed" in text and not error or "max search depth" in text:
        raise RuntimeError("the search did not end:\n%s" % text[-2000:])
    if int(number.group(1)) and not error:
        raise RuntimeError("an error of unknown kind:\n%s" % text[:2000])
    return claim(error.group(1)) if error else None, int(float(states.group(1))), seconds


def variants(is_long):
    for name, words in RIGHT + (LONG if is_long else []):
        yield name, words.split(), False
    for name, words in MUTANTS:
        yield name, words.split() + ["M_" + name], True


def check_variant(variant):
    with tempfile.TemporaryDirectory(prefix="mealy-model-") as folder:
        return check(variant[1], variant[2], folder)


def row(name, is_mutant, error, states, seconds):
    """Prints it; False: not as it ought to be."""
    good = bool(error) == is_mutant
    verdict = ("caught: " + error if error else "NOT CAUGHT") if is_mutant else error or "no error"
    print("%-47s %10d %8.1f  %s%s" % (name, states, seconds, "" if good else "WRONG: ", verdict), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("MEALY_LONG")))
    parser.add_argument("--only", default="", help="variants whose name has this word")
    args = parser.parse_args()
    if not shutil.which("spin") or not shutil.which("gcc"):
        print("spin and gcc are needed")
        return SKIP
    chosen = [v for v in variants(args.long) if args.only.lower() in v[0].lower()]
    wrong = 0
    print("%-47s %10s %8s  %s" % ("variant", "states", "seconds", "verdict"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (name, _, is_mutant), found in zip(chosen, pool.map(check_variant, chosen)):
            wrong += not row(name, is_mutant, *found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
