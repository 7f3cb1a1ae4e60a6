# SPDX-License-Identifier: GPL-2.0-or-later
"""What expiry costs and how late it is: a million flows scanned each second, ten thousand each 10 ms.

    c --- p1 [ s1 ] p2 --- s

A timeout is late by the time between a flow's deadline and the event: when it happened, as the event says (whole
milliseconds), and when `mealy event watch` printed it. The share is the agent's time of one CPU while nothing expires.
"""
import json, os, random, subprocess, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../harness"))
from lab import Lab
from frames import udp
from figure import QUICK, figure, fill_a_million, median

SECONDS = 5 if QUICK else 20
PROBES = 50 if QUICK else 200
BRIEF_S = 0.2
APP = """app: expiry
tables:
  - name: sources
    state:
      lookup: [ip.src]
      capacity: %d
      expire_within: %s
      states: [NEW, {name: LONG, idle: 1h}, {name: BRIEF, idle: 200ms, on_timeout: notify}]
    rules:
      - {state: NEW, match: {udp.dst: 9}, next: LONG, action: drop}
      - {state: NEW, match: {udp.dst: 10}, next: BRIEF, action: drop}
      - {action: drop}
"""


def load(lab, capacity, within):
    path = os.path.join(lab.dir, "expiry.yaml")
    with open(path, "w") as f:
        f.write(APP % (capacity, within))
    lab.mealy("app", "load", path)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(switch):
    """Percent of one CPU that the agent takes."""
    pid = switch.process.popen.pid
    begin, used = time.monotonic(), cpu_seconds(pid)
    time.sleep(SECONDS)
    return 100 * (cpu_seconds(pid) - used) / (time.monotonic() - begin)


class Watch(threading.Thread):
    """Timeouts as they are told: source -> (when it happened, when the line came), seconds since 1970."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.told = {}
        self.process = subprocess.Popen(lab.command("--json", "event", "watch", "timeout", "--count", str(PROBES), "--seconds", "60",
                                                    agent="s1"), stdout=subprocess.PIPE, text=True)

    def run(self):
        for line in self.process.stdout:
            event = json.loads(line)
            self.told[event["key"].split("=")[1]] = (event["time_ms"] / 1000, time.time())


def probe(lab, c):
    """Flows that expire at moments which the scan does not know; late in ms: happened, told."""
    watch = Watch(lab)
    watch.start()
    time.sleep(0.5)
    sent = {}
    for i in range(PROBES):
        source = f"192.168.{i // 250}.{i % 250 + 1}"
        frame = udp(source, "10.0.0.2", dport=10, smac=c.mac)
        sent[source] = time.time()
        c.send([frame])
        time.sleep(random.uniform(0.01, 0.13))
    watch.join(60)
    late = [(happened - sent[s] - BRIEF_S, told - sent[s] - BRIEF_S) for s, (happened, told) in watch.told.items()]
    figure("timeouts told", len(late), f"of {PROBES}")
    return [1000 * l[0] for l in late], [1000 * l[1] for l in late]


def measure(lab, switch, c, what):
    figure(f"{what}: agent", share(switch), "% of a CPU")
    happened, told = probe(lab, c)
    figure(f"{what}: late, median", median(happened), "ms")
    figure(f"{what}: late, max", max(happened), "ms")
    figure(f"{what}: told, median", median(told), "ms")
    figure(f"{what}: told, max", max(told), "ms")


def main():
    with Lab("bench") as lab:
        switch = lab.switch("s1", ["p1", "p2"])
        c = lab.host("c", "s1", "p1", mac="02:00:00:00:01:01")
        lab.host("s", "s1", "p2", mac="02:00:00:00:02:01")
        lab.start()
        load(lab, 10000, "10ms")
        c.send([udp(f"10.{i // 250}.{i % 250 + 1}.1", "10.0.0.2", dport=9, smac=c.mac) for i in range(10000 - PROBES)], 0.00002)
        figure("flows in the table", lab.json("table", "list")[0]["flows"], "flows")
        measure(lab, switch, c, "10,000 flows, 10ms")
        lab.mealy("app", "remove", "expiry")
        load(lab, 1200000, "1s")
        figure("flows in the table", fill_a_million(lab, c), "flows")
        measure(lab, switch, c, "1,000,000 flows, 1s")


if __name__ == "__main__":
    main()
