# SPDX-License-Identifier: GPL-2.0-or-later
"""Loss of SRv6 flows by alternate marking: mealy-pfplm, its library and its Python module, on the kernel's own SRv6.

    [ a ] p1 --- l0 [ l: router, nft ] l1 --- p1 [ b ]       a and b send, encapsulate, decapsulate; l loses what nft says
"""
import json, os, subprocess, sys, time, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import BUILD, TOP, Lab, LabError, Wire, die_with_parent, sh

A, B = "2001:db8:a::1", "2001:db8:b::1"
FA, FB, BACK = "fcff:3::1,fcff:4::1,fcff:5::1", "fcff:5::2", "fcff:1::1"
F8 = ",".join(["fcff:3::1", "fcff:4::1"] * 3 + ["fcff:3::1", "fcff:5::3"])
PORT, LOSE, MARK = 9, 77, 78     # Packets with these hop limits are lost, or get CE, at l.
SENDER = """
import socket, sys, time
dst, n, hops, cpu, burst = sys.argv[1], *map(int, sys.argv[2:])
import os
if cpu >= 0: os.sched_setaffinity(0, {cpu % os.cpu_count()})
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
for i in range(n):
    s.sendto(b"x" * (i % 900), (dst, 9))
    if i % burst == burst - 1: time.sleep(0.001)
"""


class Pfplm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab = Lab("pfplm")
        cls.addClassCleanup(lab.close)
        cls.a, cls.b = lab.switch("a", ["p1"]), lab.switch("b", ["p1"])
        cls.l = lab.namespace("l")
        lab.veth(cls.a.namespace, "p1", cls.l, "l0")
        lab.veth(cls.b.namespace, "p1", cls.l, "l1")
        for ns in (cls.a.namespace, cls.b.namespace, cls.l):
            for dev in ("all", "default", "lo", *(["l0", "l1"] if ns == cls.l else ["p1"])):
                sh("ip", "netns", "exec", ns, "sysctl", "-qw", f"net.ipv6.conf.{dev}.seg6_enabled=1",
                   f"net.ipv6.conf.{dev}.forwarding=1")
        cls.wire_up()
        for switch in (cls.a, cls.b):
            switch.extra.update(parse_verdict="pass")   # A monitor never drops, not even what it cannot read.
        lab.start()

    @classmethod
    def wire_up(cls):
        def ip(ns, *args):
            sh("ip", "-n", ns, "-6", *args)
        a, b, l = cls.a.namespace, cls.b.namespace, cls.l
        ip(a, "addr", "add", "fd00:a::1/64", "dev", "p1", "nodad")
        ip(b, "addr", "add", "fd00:b::1/64", "dev", "p1", "nodad")
        ip(l, "addr", "add", "fd00:a::2/64", "dev", "l0", "nodad")
        ip(l, "addr", "add", "fd00:b::2/64", "dev", "l1", "nodad")
        # l has no link-local address to ask for neighbours with when it forwards.
        for ns, dev, near, far, peer in ((a, "p1", "fd00:a::1", "fd00:a::2", "l0"), (b, "p1", "fd00:b::1", "fd00:b::2", "l1")):
            def mac(where, link):
                return sh("ip", "netns", "exec", where, "cat", f"/sys/class/net/{link}/address").strip()
            ip(ns, "neigh", "replace", far, "lladdr", mac(l, peer), "dev", dev, "nud", "permanent")
            ip(l, "neigh", "replace", near, "lladdr", mac(ns, dev), "dev", peer, "nud", "permanent")
        ip(a, "addr", "add", f"{A}/128", "dev", "lo", "nodad")
        ip(a, "route", "add", "default", "via", "fd00:a::2")
        ip(b, "route", "add", "default", "via", "fd00:b::2")
        ip(l, "route", "add", "fcff:5::/64", "via", "fd00:b::1")
        ip(l, "route", "add", "fcff:1::/64", "via", "fd00:a::1")
        try:
            for sid in ("fcff:3::1", "fcff:4::1"):
                ip(l, "route", "add", sid, "encap", "seg6local", "action", "End", "dev", "l0")
            for i, path in enumerate((FA, FB, F8), 1):
                ip(b, "addr", "add", f"{B[:-1]}{i}/128", "dev", "lo", "nodad")
                ip(a, "route", "add", f"{B[:-1]}{i}", "encap", "seg6", "mode", "encap", "segs", path, "dev", "p1",
                   "via", "fd00:a::2", "src", A, "mtu", "1300")
                ip(b, "route", "add", f"fcff:5::{i}", "encap", "seg6local", "action", "End.DT6", "table", "255", "dev", "p1")
            ip(a, "route", "add", "fcff:1::1", "encap", "seg6local", "action", "End.DT6", "table", "255", "dev", "p1")
            ip(b, "route", "add", A, "encap", "seg6", "mode", "encap", "segs", BACK, "dev", "p1", "via", "fd00:b::2", "src", B, "mtu", "1300")
        except LabError as e:
            raise unittest.SkipTest(str(e).splitlines()[-1])
        for rule in ("add table ip6 t", "add chain ip6 t c { type filter hook prerouting priority -300; }",
                     f"add rule ip6 t c ip6 hoplimit {LOSE} counter drop",
                     f"add rule ip6 t c ip6 hoplimit {MARK} ip6 ecn set ce"):
            sh("ip", "netns", "exec", l, "nft", rule)

    def setUp(self):
        self.pfplm("load", "egress")
        self.pfplm("load", "ingress")

    def tearDown(self):
        self.pfplm("unload", "egress")
        self.pfplm("unload", "ingress")

    def command(self, *args):
        return [f"{BUILD}/apps/pfplm/mealy-pfplm", "--controller", self.lab.users_url, *args]

    def pfplm(self, *args, status=0):
        r = subprocess.run(self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(r.returncode, status, f"{args}: {r.stdout}{r.stderr}")
        return r.stdout + r.stderr

    def flow(self, path, *, a="a", b="b"):
        self.pfplm("--switch", a, "add-flow", "egress", path)
        self.pfplm("--switch", b, "add-flow", "ingress", path)

    def counted(self, path, colour):
        return [int(self.pfplm("--switch", s, "stats", d, path, str(colour))) for s, d in (("a", "egress"), ("b", "ingress"))]

    def send(self, n, dst=B, hops=64, switch=None, cpu=-1, burst=50, wait=True):
        p = subprocess.Popen(["ip", "netns", "exec", (switch or self.a).namespace, "/usr/bin/python3", "-c", SENDER, dst, str(n),
                              str(hops), str(cpu), str(burst)], preexec_fn=die_with_parent)
        self.assertEqual(p.wait(), 0) if wait else None
        return p

    def sink(self):
        """Frames that arrive for b's addresses, as its UDP counts them."""
        text = sh("ip", "netns", "exec", self.b.namespace, "cat", "/proc/net/snmp6")
        return {k: int(v) for k, v in (line.split() for line in text.splitlines())}["Udp6NoPorts"]

    def test_the_scenario_of_the_reference(self):
        for path in (FA, FB, F8):
            self.flow(path)
        before = self.sink()
        self.pfplm("set-colour", "1")
        self.send(993)
        self.send(7, hops=LOSE)
        self.send(497, B[:-1] + "2")
        self.send(3, B[:-1] + "2", hops=LOSE)
        self.send(200, B[:-1] + "3")
        self.pfplm("set-colour", "2")
        self.assertEqual(self.pfplm("get-colour", "--switch", "a"), "2\n")
        self.send(400)
        self.assertEqual(self.counted(FA, 1), [1000, 993])
        self.assertEqual(self.counted(FB, 1), [500, 497])
        self.assertEqual(self.counted(F8, 1), [200, 200])
        self.assertEqual(self.counted(FA, 2), [400, 400])
        self.assertEqual(self.counted(FB, 2), [0, 0])
        self.assertEqual(self.sink() - before, 993 + 497 + 200 + 400)
        self.assertIn("no such flow", self.pfplm("--switch", "a", "stats", "egress", "fcff:9::1", "1", status=1))

    def test_flows_and_colours_are_checked(self):
        sixteen = ",".join(f"fcff:{i}::1" for i in range(1, 17))
        self.flow(sixteen)
        self.flow("fcff:7::1")
        self.assertIn("registered already", self.pfplm("--switch", "a", "add-flow", "egress", "FCFF:7:0::1", status=1))
        self.assertIn("at most 16", self.pfplm("--switch", "a", "add-flow", "egress", sixteen + ",::1", status=1))
        self.assertEqual(sorted(self.pfplm("--switch", "a", "list", "egress").split()), sorted([sixteen, "fcff:7::1"]))
        rows = self.lab.json("--switch", "b", "entry", "list", "srv6-loss-in", "incoming")
        self.assertIn(sixteen, [r["srv6.segments"] for r in rows])
        self.pfplm("--switch", "a", "del-flow", "egress", "fcff:7::1")
        self.pfplm("--switch", "a", "del-flow", "egress", "fcff:7::1", status=1)
        self.assertIn("a colour is 0 to 3", self.pfplm("set-colour", "4", status=2))
        self.assertIn("0-3", self.lab.mealy("--switch", "a", "global", "set", "srv6-loss-out", "active=4", status=None))
        self.assertIn("not yet", self.pfplm("--mark", "altmark.loss", "load", "egress", status=1))
        self.pfplm("load", "egress")
        self.pfplm("unload", "ingress")
        self.pfplm("unload", "ingress")

    def test_blocks_of_several_paths_and_the_way_back(self):
        out = subprocess.Popen(self.command("--json", "run", "--interval", "600ms", "--margin", "250ms", "--blocks", "2",
                                            f"long={FA}@a-b", f"short={FB}@a-b", f"long/back={BACK}@b-a"),
                               stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        lost = total = 0
        while out.poll() is None:
            self.send(20)
            self.send(3, hops=LOSE)
            self.send(10, B[:-1] + "2")
            self.send(5, A, switch=self.b)
        rows = [json.loads(line) for line in out.stdout]
        self.assertEqual(out.returncode, 0)
        self.assertEqual(len(rows), 6)
        for r in rows:
            self.assertTrue(r["valid"])
            self.assertEqual(r["lost"], r["sent"] - r["received"])
            total += r["sent"]
            if r["path"] == "long":
                lost += r["lost"]
                self.assertTrue(r["lost"] > 0 and "delay_ns" not in r)
            else:
                self.assertEqual((r["lost"], r["lost_bytes"]), (0, 0))
                self.assertTrue(0 < r["delay_ns"] < 10**9)
        self.assertEqual({r["colour"] for r in rows}, {1, 2})
        self.assertEqual(len({r["block"] for r in rows}), 2)
        self.assertTrue(total > 30 and lost > 3)

    def test_two_way_delay(self):
        rows = self.measure("800ms", "200ms", 1, f"p={FA}@a-b", f"p/back={BACK}@b-a",
                            meanwhile=lambda: (self.send(40), self.send(40, A, switch=self.b)))
        for r in rows:
            self.assertEqual(r["lost"], 0)
            self.assertTrue(0 < r["two_way_ns"] < 10**9)
        self.assertEqual(rows[0]["two_way_ns"], sum(r["delay_ns"] for r in rows))

    def measure(self, interval, margin, blocks, *paths, meanwhile):
        out = subprocess.Popen(self.command("--json", "run", "--interval", interval, "--margin", margin, "--blocks", str(blocks),
                                            *paths), stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        while out.poll() is None:
            meanwhile()
        self.assertEqual(out.returncode, 0)
        return [json.loads(line) for line in out.stdout]

    def test_two_senders_while_colours_flip(self):
        self.flow(FA)
        senders = [self.send(30000, cpu=cpu, burst=25, wait=False) for cpu in (0, 1)]
        rows = self.measure("200ms", "80ms", 4, f"p={FA}@a-b", meanwhile=lambda: time.sleep(0.05))
        for p in senders:
            self.assertEqual(p.wait(), 0)
        for r in rows:
            self.assertEqual((r["valid"], r["lost"], r["lost_bytes"]), (True, 0, 0))
            self.assertTrue(r["sent"] > 0)
        counts = [self.counted(FA, c) for c in range(4)]
        self.assertEqual(sum(c[0] for c in counts), 60000)
        for sent, received in counts:
            self.assertEqual(sent, received)

    def test_a_stream_with_large_frames(self):
        self.flow(FA)
        text = ("import socket; s = socket.socket(socket.AF_INET6); s.setsockopt(1, 2, 1); s.bind(('::', 5001)); s.listen();"
                "c = s.accept()[0]; n = 0\nwhile (d := c.recv(65536)): n += len(d)\nprint(n)")
        server = subprocess.Popen(["ip", "netns", "exec", self.b.namespace, "/usr/bin/python3", "-c", text],
                                  stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        client = ("import socket, time\nfor i in range(100):\n  try: s = socket.create_connection(('%s', 5001), 10); break\n"
                  "  except OSError: time.sleep(0.05)\ns.sendall(bytes(3000000))" % B)
        sh("ip", "netns", "exec", self.a.namespace, "/usr/bin/python3", "-c", client)
        self.assertEqual(server.communicate(timeout=10)[0], "3000000\n")
        sent, received = self.counted(FA, 1)
        self.assertEqual(sent, received)
        self.assertTrue(sent > 2000)

    def test_marks_that_routers_change(self):
        for mark, colours in (("ipv6.ecn", (95, 5)), ("ipv6.dscp", (100, 0)), ("ipv6.flow_label", (100, 0))):
            self.pfplm("--mark", mark, "load", "egress")
            self.pfplm("--mark", mark, "load", "ingress")
            self.flow(FA)
            self.pfplm("set-colour", "1")
            self.send(95)
            self.send(5, hops=MARK)
            self.assertEqual(self.counted(FA, 1), [100, colours[0]], mark)
            self.assertEqual(self.counted(FA, 3), [0, colours[1]], mark)
            self.tearDown()

    def test_a_monitor_never_drops(self):
        from scapy.layers.inet import UDP
        from scapy.layers.inet6 import IPv6, IPv6ExtHdrRouting, IPv6ExtHdrSegmentRouting
        from scapy.layers.l2 import Ether
        self.flow(FA)
        def frame(header, cut=None):
            p = Ether(dst="02:00:00:00:00:09") / IPv6(src=A, dst="fcff:3::1", tc=0xb8) / header / UDP(dport=9)
            return bytes(p)[:cut]
        srh = IPv6ExtHdrSegmentRouting(addresses=["fcff:5::1", "fcff:4::1"], segleft=1, lastentry=1, len=4)
        frames = [frame(srh), frame(IPv6ExtHdrRouting(type=3, addresses=["fcff:5::1"])), frame(srh, 60), frame(srh, 56),
                  bytes(Ether(dst="02:00:00:00:00:09") / IPv6(dst=B) / UDP())]
        here, there = Wire(self.a.namespace, "p1"), Wire(self.l, "l0")
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        for f in frames:
            here.send([f])
        got = there.received(want=len(frames), filter=lambda f: f[:6] == bytes.fromhex("020000000009"))
        self.assertEqual(sorted(got), sorted(frames))
        self.assertEqual(self.counted(FA, 1), [0, 0])

    def test_python_verbs(self):
        asan = subprocess.run(["gcc", "-print-file-name=libasan.so"], stdout=subprocess.PIPE, text=True).stdout.strip()
        so = f"{BUILD}/apps/pfplm/libmealy-pfplm.so.0"
        preload = asan if b"__asan_init" in open(so, "rb").read() else ""
        text = f"""
from pfplm import EbpfPFPLM, EbpfException, lib
with EbpfPFPLM(controller="{self.lab.users_url}", switch="a") as p:
    p.load_ingress("p1"); p.load_egress("p1"); p.load_egress("p1", 0)
    p.pfplm_change_active_color(3)
    assert p.pfplm_get_active_color() == 3
    p.pfplm_add_flow(lib.FLOW_DIR_EGRESS, "{FA}")
    p.pfplm_add_flow(lib.FLOW_DIR_INGRESS, "{FA}")
    assert p.pfplm_list_flows(lib.FLOW_DIR_EGRESS) == ["{FA}"]
    input()
    print(p.pfplm_get_flow_stats(lib.FLOW_DIR_EGRESS, "{FA}", 3), p.pfplm_get_flow_stats(lib.FLOW_DIR_INGRESS, "{FA}", 3))
    p.pfplm_del_flow(lib.FLOW_DIR_EGRESS, "{FA}")
    for wrong in (lambda: p.pfplm_change_active_color(4), lambda: p.pfplm_del_flow(lib.FLOW_DIR_EGRESS, "{FA}"),
                  lambda: p.pfplm_get_flow_stats(lib.FLOW_DIR_EGRESS, "{FA}", 3)):
        try: wrong()
        except EbpfException as e: print(e.errno)
    p.unload_egress("p1"); p.unload_ingress("p1"); p.unload_ingress("p1")
"""
        p = subprocess.Popen(["/usr/bin/python3", "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             preexec_fn=die_with_parent,
                             env=dict(os.environ, MEALY_PFPLM=so, PYTHONPATH=f"{TOP}/apps/pfplm", LD_PRELOAD=preload,
                                      ASAN_OPTIONS="detect_leaks=0", PYTHONDONTWRITEBYTECODE="1"))
        for _ in range(100):
            if self.lab.json("--switch", "a", "entry", "list", "srv6-loss-in", "incoming") or p.poll() is not None:
                break
            time.sleep(0.05)
        self.send(25)
        out = p.communicate("\n")[0]
        self.assertEqual(p.returncode, 0)
        self.assertEqual(out.split(), ["25", "0", "22", "2", "2"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
