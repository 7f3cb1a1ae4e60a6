# SPDX-License-Identifier: GPL-2.0-or-later
"""A subnet behind one address: ping, nc and frames through `napt`.

    c (10.0.0.2) --- p1 [ s1, 203.0.113.1 ] p2 --- s (203.0.113.9)
"""
import json, os, sys, unittest
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from lab import Lab, wait_until
from frames import udp, checksums_ok, only_udp
from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror
from scapy.layers.l2 import Ether

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/napt.yaml")
PUBLIC, SERVER, INSIDE = "203.0.113.1", "203.0.113.9", "10.0.0.2"


class Translator:
    """A subnet, a translator, a server; what any NAT can be asked."""
    hook = "xdp"

    @classmethod
    def lay(cls, name):
        cls.lab = Lab(name)
        cls.addClassCleanup(cls.lab.close)
        cls.switch = cls.lab.switch("s1", ["p1", "p2"])
        cls.switch.extra.update(controllers=None)
        cls.c = cls.lab.host("c", "s1", "p1", ip=f"{INSIDE}/24")
        cls.s = cls.lab.host("s", "s1", "p2", ip=f"{SERVER}/24")
        cls.switch.run("ip", "addr", "add", "10.0.0.1/24", "dev", "p1")
        cls.switch.run("ip", "addr", "add", f"{PUBLIC}/24", "dev", "p2")
        cls.c.run("ip", "addr", "add", "10.0.0.3/24", "dev", "eth0")
        cls.c.run("ip", "route", "add", "default", "via", "10.0.0.1")
        # What `route` leaves to the kernel has the kernel's own address for its source by then.
        cls.switch.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.p1.accept_local=1",
                       "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.p1.rp_filter=0")

    def mac(self, port):
        return json.loads(self.switch.run("ip", "-j", "link", "show", port))[0]["address"]

    def outward(self, host=INSIDE, to=SERVER, **ip):
        return udp(host, to, smac=self.c.mac, dmac=self.mac("p1"), **ip)

    def sent(self, **how):
        """Address and port that a datagram from the inside has at the server; None: it does not arrive."""
        self.s.received(quiet_s=0.05)
        self.c.send([self.outward(**how)])
        frames = self.s.received(filter=only_udp(how["dport"]), want=1)
        return (Ether(frames[0])[IP].src, Ether(frames[0])[UDP].sport) if frames else None

    def gets_in(self, port, sport=53, source=SERVER):
        self.c.received(quiet_s=0.05)
        self.s.send([udp(source, PUBLIC, smac=self.s.mac, dmac=self.mac("p2"), sport=sport, dport=port)])
        return bool(self.c.received(filter=only_udp(), want=1))

    def behaviour(self):
        """What RFC 4787 asks for, by its words."""
        self.c.run("ping", "-c", "1", SERVER)
        first, second = self.sent(sport=6000, dport=53), self.sent(sport=6000, dport=54)
        other = self.sent(host="10.0.0.3", sport=6000, dport=53)
        self.c.received(quiet_s=0.05)
        self.c.send([self.outward(host="10.0.0.3", to=PUBLIC, sport=6001, dport=6000)])
        back = [Ether(f)[IP].src for f in self.c.received(filter=only_udp(6000), want=1)]
        return {"keeps the port": first == (PUBLIC, 6000), "one mapping for all destinations": first == second,
                "two hosts have two ports": other is not None and other != first,
                "the server answers": self.gets_in(6000), "another port of it gets in": self.gets_in(6000, sport=999),
                "another host gets in": self.gets_in(6000, source="203.0.113.77"), "hairpinning": back == [PUBLIC]}


class Napt(Translator, unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.lay("napt" + cls.hook.replace("-", ""))
        cls.switch.start()
        cls.lab.mealy("app", "load", EXAMPLE, "--hook", cls.hook, agent="s1")

    def flows(self, table):
        return self.lab.json("flow", "dump", "napt", table, agent="s1")

    def test_1_ping(self):
        self.c.run("ping", "-c", "3", "-i", "0.2", "-W", "2", SERVER)
        self.assertTrue(self.flows("mappings"))

    def test_2_the_server_sees_the_public_address_and_the_answer_comes_back(self):
        self.c.run("ping", "-c", "1", SERVER)
        self.s.received(quiet_s=0.1)
        self.c.send([self.outward(sport=4000, dport=53)])
        frames = self.s.received(filter=only_udp(53), want=1)
        self.assertEqual(len(frames), 1)
        packet = Ether(frames[0])
        self.assertEqual((packet[IP].src, packet[UDP].sport, packet[IP].ttl), (PUBLIC, 4000, 63))
        self.assertTrue(checksums_ok(frames[0]))
        self.c.received(quiet_s=0.1)
        self.s.send([udp(SERVER, PUBLIC, smac=self.s.mac, dmac=self.mac("p2"), sport=53, dport=4000)])
        frames = self.c.received(filter=only_udp(4000), want=1)
        self.assertEqual([Ether(f)[IP].dst for f in frames], [INSIDE])
        self.assertTrue(checksums_ok(frames[0]))

    def test_3_tcp(self):
        server = self.s.popen("nc", "-l", "-p", "7000")
        wait_until(lambda: "7000" in self.s.run("ss", "-ltn"))
        self.c.run("sh", "-c", f"head -c 300000 /dev/zero | nc -N -w 5 {SERVER} 7000 || "
                   f"head -c 300000 /dev/zero | nc -q 1 -w 5 {SERVER} 7000")
        server.wait(10)
        self.assertEqual(server.returncode, 0)

    def test_4_an_error_finds_the_inside_by_the_packet_it_quotes(self):
        self.c.received(quiet_s=0.1)
        self.c.send([self.outward(sport=4001, dport=9)])    # Nobody listens: the server's kernel answers.
        errors = [Ether(f) for f in self.c.received(filter=lambda f: ICMP in Ether(f), want=1)]
        self.assertEqual([(p[ICMP].type, p[IP].dst, p[IPerror].src, p[UDPerror].sport) for p in errors],
                         [(3, INSIDE, INSIDE, 4001)])
        self.assertTrue(checksums_ok(bytes(errors[0])))

    def test_5_a_stranger_does_not_get_in(self):
        self.c.received(quiet_s=0.1)
        self.s.send([udp(SERVER, PUBLIC, smac=self.s.mac, dmac=self.mac("p2"), sport=53, dport=4999)])
        self.assertEqual(self.c.received(filter=only_udp(4999), quiet_s=0.3), [])

    def test_6_who_ends_a_mapping_frees_its_port(self):
        self.c.send([self.outward(sport=4002, dport=53)])
        wait_until(lambda: [f for f in self.flows("holders") if "4002" in json.dumps(f)])
        self.lab.mealy("flow", "flush", "napt", "mappings", agent="s1")
        self.assertEqual(self.flows("holders"), [])

    def test_7_a_traceroute_sees_both_hops(self):
        lines = self.c.run("traceroute", "-n", "-q", "1", "-w", "2", "-m", "4", SERVER).splitlines()
        self.assertEqual([line.split()[1] for line in lines[1:]], ["10.0.0.1", SERVER])

    def test_8_what_it_does(self):
        self.lab.mealy("flow", "flush", "napt", "mappings", agent="s1")
        self.assertEqual(self.behaviour(), {
            "keeps the port": True, "one mapping for all destinations": True, "two hosts have two ports": True,
            "the server answers": True, "another port of it gets in": True, "another host gets in": True,
            "hairpinning": True})


class Masquerade(Translator, unittest.TestCase):
    """The kernel's own, for comparison: who was not asked does not get in, and nothing turns back."""

    def test_what_it_does(self):
        self.lay("masq")
        self.switch.run("nft", "add table ip n; add chain ip n post { type nat hook postrouting priority 100; };"
                        "add rule ip n post oifname p2 masquerade")
        self.assertEqual(self.behaviour(), {
            "keeps the port": True, "one mapping for all destinations": True, "two hosts have two ports": True,
            "the server answers": True, "another port of it gets in": False, "another host gets in": False,
            "hairpinning": False})


class NaptOnTc(Napt):
    hook = "tc-ingress"


if __name__ == "__main__":
    unittest.main(verbosity=2)
