# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration: three applications on two switches, with real frames; every count is checked.

    c 10.0.0.1 ---- p1 [ s1 ] t1 ------ t2 [ s2 ] p2 ---- s 10.0.0.2
    d 10.0.0.3 ---- p3 [    ]
"""
import os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/harness"))
from lab import Lab, Load
from frames import udp, only_udp

C, S = "10.0.0.1", "10.0.0.2"
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
results = []
began = time.monotonic()


def bold(text):
    return f"\033[1m{text}\033[0m" if COLOUR else text


def step(text):
    print(f"\n{bold('== ' + text)}", flush=True)


def see(text):
    print(f"   -> {text}", flush=True)


def show(lab, *args, agent=None, head=None):
    """Runs the command as a person would type it and prints what it says."""
    print("   $ mealy " + " ".join(f"'{a}'" if " " in a or "*" in a else a for a in args), flush=True)
    lines = lab.mealy(*args, agent=agent).rstrip("\n").splitlines()
    for line in lines[:head] if head else lines:
        print("     " + line)
    if head and len(lines) > head:
        print(f"     ... {len(lines) - head} more lines")
    sys.stdout.flush()


def result(scenario, sent, passed, dropped, expected):
    ok = sent == passed + dropped and passed == expected
    results.append((scenario, sent, passed, dropped, expected, "ok" if ok else "WRONG"))
    see(f"{sent} sent, {passed} passed, {dropped} dropped by a named rule, {expected} expected to pass: {results[-1][-1]}")


def rules(lab, switch, app):
    rows = lab.json("counter", "show", "rule", "--switch", switch)
    return {r["name"].split("/", 1)[1]: r["packets"] for r in rows if r["name"].startswith(app + "/")}


def delta(after, before):
    return {k: v - before.get(k, 0) for k, v in after.items()}


def burst(c, s, n, dport, gap_s=0.001):
    c.send([udp(C, S, dport=dport, smac=c.mac, dmac=s.mac)] * n, gap_s)
    return len(s.received(filter=only_udp(dport), quiet_s=0.3))


def mac_learning(lab, c, d, s):
    step("MAC learning on both switches: hosts find each other, and nobody else hears them")
    show(lab, "app", "load", "examples/mac-learning.yaml", "--switch", "*", "--order", "90")
    print("     " + c.run("ping", "-c3", "-i0.2", "-W2", S).strip().splitlines()[-2])
    show(lab, "flow", "dump", "mac-learning", "stations", "--switch", "s1")
    d.received(quiet_s=0.05)
    before = rules(lab, "s1", "mac-learning")
    passed = burst(c, s, 20, 9)
    overheard = len(d.received(filter=only_udp(9), quiet_s=0.1))
    known = delta(rules(lab, "s1", "mac-learning"), before)["stations/known"]
    see(f"rule \"known\" sent {known} frames out of one port; the host on p3 heard {overheard}")
    result("learned, not flooded", 20, passed, overheard, 20)


def token_bucket(lab, c, s):
    step("A token bucket on port p1 of s1: five frames at once, then one a second, for each source")
    show(lab, "app", "load", "examples/token-bucket.yaml", "--switch", "s1", "--ports", "p1", "--order", "10")
    before = rules(lab, "s1", "token-bucket")
    passed = burst(c, s, 10, 9)
    d = delta(rules(lab, "s1", "token-bucket"), before)
    result("token bucket, burst of 10", 10, passed, d["police/over-rate"], 5)
    show(lab, "flow", "dump", "token-bucket", "police", "--switch", "s1")
    show(lab, "counter", "show", "token-bucket", "--switch", "s1")
    see("every frame is in exactly one rule's counter")
    step("Why would the next frame be dropped? A trace asks the live tables and changes nothing")
    show(lab, "trace", "--switch", "s1", "--port", "p1", f"ipv4.src={C} ipv4.dst={S} udp.dst=9")


def change_under_load(lab, c, s):
    step("The rate is changed while frames flow: a new version, committed by one store")
    lab.mealy("app", "set", "token-bucket", "burst=5", "rate=100pps", "--switch", "s1")
    s.received(quiet_s=0.05)
    before = rules(lab, "s1", "token-bucket")
    load = Load(c, udp(C, S, dport=9, smac=c.mac, dmac=s.mac), 0.002)
    load.start()
    time.sleep(1.0)
    show(lab, "app", "set", "token-bucket", "rate=10kpps", "--switch", "s1")
    time.sleep(1.0)
    sent = load.stop()
    passed = len(s.received(filter=only_udp(9), quiet_s=0.3))
    d = delta(rules(lab, "s1", "token-bucket"), before)
    in_rules = sum(d[f"police/{r}"] for r in ("first", "over-rate", "in-rate", "rested"))
    see(f"rules counted {in_rules} of {sent} frames")
    result("rate changed under load", sent, passed, d["police/over-rate"], in_rules - d["police/over-rate"])
    lab.mealy("app", "remove", "token-bucket")


def port_knocking(lab, c, s):
    step("Port knocking on s2's trunk: 1111, 2222, 3333 open 9922")
    show(lab, "app", "load", "examples/port-knocking.yaml", "--switch", "s2", "--ports", "t2", "--order", "10")
    before = rules(lab, "s2", "port-knocking")
    passed = burst(c, s, 3, 9922)
    d = delta(rules(lab, "s2", "port-knocking"), before)
    result("closed door", 3, passed, d["knocks/wrong"], 0)
    before = rules(lab, "s2", "port-knocking")
    passed = sum(burst(c, s, 1, port) for port in (1111, 2222, 3333))
    passed += burst(c, s, 5, 9922)
    d = delta(rules(lab, "s2", "port-knocking"), before)
    result("knocked in order", 8, passed, d["knocks/knock-1"] + d["knocks/knock-2"] + d["knocks/knock-3"], 5)
    show(lab, "flow", "dump", "port-knocking", "knocks", "--switch", "s2")
    lab.mealy("app", "remove", "port-knocking")


def killed_agent(lab, c, s):
    step("kill -9 of s1's agent under load; the kernel goes on, the next agent takes over")
    lab.mealy("app", "load", "examples/packet-counter.yaml", "--switch", "s1", "--ports", "p1", "--order", "20")
    s.received(quiet_s=0.05)
    load = Load(c, udp(C, S, dport=9, smac=c.mac, dmac=s.mac), 0.001)
    load.start()
    time.sleep(0.5)
    lab.switches["s1"].process.kill()
    time.sleep(0.5)
    lab.switches["s1"].start()
    lab.connected("s1")
    sent = load.stop()
    passed = len(s.received(filter=only_udp(9), quiet_s=0.3))
    result("agent killed under load", sent, passed, 0, sent)
    show(lab, "flow", "dump", "packet-counter", "sources", "--switch", "s1")
    see("packets in this record were counted before, while and after no agent was there")


def summary():
    step(f"Summary, after {time.monotonic() - began:.0f} s")
    print(f"   {'scenario':28} {'sent':>7} {'passed':>7} {'dropped by rule':>16} {'expected':>9}  verdict")
    for scenario, sent, passed, dropped, expected, verdict in results:
        print(f"   {scenario:28} {sent:7} {passed:7} {dropped:16} {expected:9}  {verdict}")
    return 0 if all(r[-1] == "ok" for r in results) else 1


def main():
    step("Two switches and two hosts in network namespaces")
    print(__doc__.split("\n\n", 1)[1].rstrip())
    with Lab("demo") as lab:
        lab.switch("s1", ["p1", "p3", "t1"])
        lab.switch("s2", ["t2", "p2"])
        c = lab.host("c", "s1", "p1", ip=C + "/24", mac="02:00:00:00:01:01")
        d = lab.host("d", "s1", "p3", ip="10.0.0.3/24", mac="02:00:00:00:03:01")
        s = lab.host("s", "s2", "p2", ip=S + "/24", mac="02:00:00:00:02:01")
        lab.veth(lab.switches["s1"].namespace, "t1", lab.switches["s2"].namespace, "t2")
        lab.start()
        show(lab, "switch", "list")
        mac_learning(lab, c, d, s)
        token_bucket(lab, c, s)
        change_under_load(lab, c, s)
        port_knocking(lab, c, s)
        killed_agent(lab, c, s)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
