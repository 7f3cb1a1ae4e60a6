# SPDX-License-Identifier: GPL-2.0-or-later
"""What the control plane costs: an application of three tables until active, a million flows dumped as JSON.

    c --- p1 [ s1 ] p2 --- s
"""
import os, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../harness"))
from lab import Lab, TOP
from frames import udp, only_udp
from figure import QUICK, figure, fill_a_million, median

ROUNDS = 5 if QUICK else 15
THREE = """app: three
tables:
  - name: one
    state: {lookup: [ip.src], capacity: 4096, states: [N, {name: S, idle: 60s}], registers: [n]}
    rules: [{do: n += 1, next: S}]
  - name: two
    state: {lookup: [ip.dst], capacity: 4096, states: [N, {name: S, idle: 60s}], registers: [n]}
    rules: [{do: n += 1, next: S}]
  - name: three
    rules: [{action: output(%d)}]
"""
MILLION = """app: million
tables:
  - name: sources
    state: {lookup: [ip.src], capacity: 1200000, registers: [packets, bytes]}
    rules: [{do: packets += frames; bytes += length, action: drop}]
"""


def load_to_first_packet(lab, c, s):
    """From the start of the command to the first frame that meets the application, and the switch's own part."""
    path = os.path.join(lab.dir, "three.yaml")
    frame = udp("10.0.0.1", "10.0.0.2", dport=9, smac=c.mac, dmac=s.mac)
    totals, built = [], []
    with open(path, "w") as f:
        f.write(THREE % 2)
    for _ in range(ROUNDS):
        s.received(quiet_s=0.05)
        begin = time.monotonic()
        command = subprocess.Popen(lab.command("app", "load", path), stdout=subprocess.DEVNULL)
        while True:
            c.send([frame])
            if s.received(filter=only_udp(9), quiet_s=0.001, want=1):
                break
        totals.append((time.monotonic() - begin) * 1000)
        command.wait()
        row = lab.json("switch", "show", "s1")[0]
        built.append((row["build_us"] + row["commit_us"]) / 1000)
        lab.mealy("app", "remove", "three")
    figure("app load to first packet on it", median(totals), "ms")
    figure("three tables active on the agent", median(built), "ms")


def dump_a_million(lab, c):
    path = os.path.join(lab.dir, "million.yaml")
    with open(path, "w") as f:
        f.write(MILLION)
    lab.mealy("app", "load", path)
    flows = fill_a_million(lab, c)
    figure("flows in the table", flows, "flows")
    times = []
    for _ in range(3):
        begin = time.monotonic()
        with open(os.devnull, "w") as null:
            p = subprocess.Popen(lab.command("--json", "flow", "dump", "million", "sources"), stdout=null, cwd=TOP)
            _, status, usage = os.wait4(p.pid, 0)
        assert status == 0
        times.append(time.monotonic() - begin)
    figure("dump as JSON", median(times), "s")
    figure("flows dumped per second", flows / median(times), "flows/s")
    figure("memory of the command", usage.ru_maxrss / 1024, "MiB")


def main():
    with Lab("bench") as lab:
        lab.switch("s1", ["p1", "p2"])
        c = lab.host("c", "s1", "p1", ip="10.0.0.1/24", mac="02:00:00:00:01:01")
        s = lab.host("s", "s1", "p2", ip="10.0.0.2/24", mac="02:00:00:00:02:01")
        lab.start()
        load_to_first_packet(lab, c, s)
        dump_a_million(lab, c)


if __name__ == "__main__":
    main()
